//! What the columns of a file are: names and types in a tree, as readers see them.

use parquet::{
    basic::{LogicalType, Repetition, Type as PhysicalType},
    errors::ParquetError,
    schema::types::{Type, TypePtr},
};
use std::sync::Arc;

/// The name of what a list holds. Arrow's writers name it so; readers go by its place.
pub(super) const ITEM: &str = "item";

/// A column, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub name: String,
    /// Whether it may be null.
    pub nullable: bool,
    pub data_type: DataType,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DataType {
    Boolean,
    Int64,
    Float32,
    Float64,
    Text,
    Struct(Vec<Field>),
    List(Box<Field>),
    /// A list, all of whose values have this length.
    FixedSizeList(Box<Field>, i32),
}

impl Field {
    pub fn required(name: &str, data_type: DataType) -> Self {
        Self {
            name: name.to_owned(),
            nullable: false,
            data_type,
        }
    }

    pub fn nullable(name: &str, data_type: DataType) -> Self {
        Self {
            nullable: true,
            ..Self::required(name, data_type)
        }
    }

    /// As Parquet says it (<https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>): a list is a group
    /// of a repeated group of the item.
    fn to_parquet(&self) -> Result<TypePtr, ParquetError> {
        let repetition = if self.nullable {
            Repetition::OPTIONAL
        } else {
            Repetition::REQUIRED
        };
        let primitive = |physical, logical| {
            Type::primitive_type_builder(&self.name, physical)
                .with_repetition(repetition)
                .with_logical_type(logical)
                .build()
        };
        let group = |fields, logical| {
            Type::group_type_builder(&self.name)
                .with_fields(fields)
                .with_repetition(repetition)
                .with_logical_type(logical)
                .build()
        };
        let whole = match &self.data_type {
            DataType::Boolean => primitive(PhysicalType::BOOLEAN, None),
            DataType::Int64 => primitive(PhysicalType::INT64, None),
            DataType::Float32 => primitive(PhysicalType::FLOAT, None),
            DataType::Float64 => primitive(PhysicalType::DOUBLE, None),
            DataType::Text => primitive(PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            DataType::Struct(fields) => group(all_to_parquet(fields)?, None),
            DataType::List(item) | DataType::FixedSizeList(item, _) => {
                let repeated = Type::group_type_builder("list")
                    .with_fields(vec![item.to_parquet()?])
                    .with_repetition(Repetition::REPEATED)
                    .build()?;
                group(vec![Arc::new(repeated)], Some(LogicalType::List))
            }
        };
        whole.map(Arc::new)
    }
}

impl DataType {
    /// A list of any length, of items that may be null.
    pub fn list(item: DataType) -> Self {
        Self::List(Box::new(Field::nullable(ITEM, item)))
    }

    /// A list of one length, of items that may be null.
    pub fn fixed_size_list(item: DataType, length: i32) -> Self {
        Self::FixedSizeList(Box::new(Field::nullable(ITEM, item)), length)
    }
}

/// The schema of a file of these columns.
pub(super) fn to_parquet(columns: &[Field]) -> Result<TypePtr, ParquetError> {
    // The root has no name that readers see; this is the one of Arrow's writers.
    let root = Type::group_type_builder("arrow_schema").with_fields(all_to_parquet(columns)?);
    root.build().map(Arc::new)
}

fn all_to_parquet(fields: &[Field]) -> Result<Vec<TypePtr>, ParquetError> {
    fields.iter().map(Field::to_parquet).collect()
}
