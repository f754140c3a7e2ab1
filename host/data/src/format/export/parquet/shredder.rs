//! Taking rows apart into Parquet's columns: nested values become flat ones with two levels each, from which readers
//! put the nesting together again (<https://github.com/apache/parquet-format#nested-encoding>, after the Dremel paper).
//!
//! The *repetition level* of a value says at which of the lists around it a new item begins, 0 for a new row. Its
//! *definition level* says how many of the parts around it that may be missing are there; only with the highest is there
//! a value.

use super::schema::{DataType, Field};
use parquet::{
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType as PhysicalType, DoubleType, FloatType, Int64Type,
    },
    errors::ParquetError,
    file::writer::{SerializedFileWriter, SerializedRowGroupWriter},
};
use serde_json::Value;

/// Rows that wait to be written.
#[derive(Debug)]
pub(super) struct Shredder {
    columns: Vec<Part>,
    bytes: usize,
}

/// A value that its column cannot hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{column}: a list of {found} among lists of {expected}")]
pub(super) struct WrongLength {
    column: String,
    expected: usize,
    found: usize,
}

/// A column or a part of one, with what waits in it.
#[derive(Debug)]
struct Part {
    name: String,
    nullable: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Struct(Vec<Part>),
    List {
        item: Box<Part>,
        /// Of every item but the first.
        repetition: i16,
        length: Option<usize>,
    },
    Leaf(Leaf),
}

/// The flat values of a column of the file.
#[derive(Debug)]
struct Leaf {
    values: Values,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<bool>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Text(Vec<ByteArray>),
}

/// Where a value stands: its levels as far as the parts around it tell.
#[derive(Clone, Copy, Default)]
struct Levels {
    repetition: i16,
    definition: i16,
}

impl Shredder {
    pub fn new(columns: &[Field]) -> Self {
        Self {
            columns: columns.iter().map(|column| Part::new(column, 0)).collect(),
            bytes: 0,
        }
    }

    /// How much memory the rows take, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a row: an object with the columns' names. What is not in it is null.
    ///
    /// # Errors
    /// When a list is not of its column's length; the row is added in part then, and the rows are good for nothing.
    pub fn push(&mut self, row: &Value) -> Result<(), WrongLength> {
        for column in &mut self.columns {
            let value = row.get(&column.name).unwrap_or(&Value::Null);
            self.bytes += column.push(value, Levels::default())?;
        }
        Ok(())
    }

    /// Writes the rows as a row group of the file.
    pub fn write<W: std::io::Write + Send>(
        &mut self,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<(), ParquetError> {
        let mut group = file.next_row_group()?;
        for column in &mut self.columns {
            column.write(&mut group)?;
        }
        group.close()?;
        self.bytes = 0;
        Ok(())
    }
}

impl Part {
    /// `lists` is how many lists are around it.
    fn new(field: &Field, lists: i16) -> Self {
        let list = |item: &Field, length| Content::List {
            item: Box::new(Self::new(item, lists + 1)),
            repetition: lists + 1,
            length,
        };
        let leaf = |values| {
            Content::Leaf(Leaf {
                values,
                definition: Vec::new(),
                repetition: Vec::new(),
            })
        };
        let content = match &field.data_type {
            DataType::Boolean => leaf(Values::Boolean(Vec::new())),
            DataType::Int64 => leaf(Values::Int64(Vec::new())),
            DataType::Float32 => leaf(Values::Float32(Vec::new())),
            DataType::Float64 => leaf(Values::Float64(Vec::new())),
            DataType::Text => leaf(Values::Text(Vec::new())),
            DataType::Struct(fields) => {
                Content::Struct(fields.iter().map(|field| Self::new(field, lists)).collect())
            }
            DataType::List(item) => list(item, None),
            DataType::FixedSizeList(item, length) => list(item, usize::try_from(*length).ok()),
        };
        Self {
            name: field.name.clone(),
            nullable: field.nullable,
            content,
        }
    }

    /// Adds a value, and tells how many bytes that takes.
    fn push(&mut self, value: &Value, around: Levels) -> Result<usize, WrongLength> {
        if value.is_null() {
            return Ok(self.push_missing(around));
        }
        let here = Levels {
            definition: around.definition + i16::from(self.nullable),
            ..around
        };
        match &mut self.content {
            Content::Struct(fields) => {
                let mut bytes = 0;
                for field in fields {
                    bytes += field.push(value.get(&field.name).unwrap_or(&Value::Null), here)?;
                }
                Ok(bytes)
            }
            Content::List {
                item,
                repetition,
                length,
            } => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                if let Some(expected) = length.filter(|length| *length != items.len()) {
                    return Err(WrongLength {
                        column: self.name.clone(),
                        expected,
                        found: items.len(),
                    });
                }
                if items.is_empty() {
                    return Ok(item.push_missing(here));
                }
                let mut levels = Levels {
                    definition: here.definition + 1,
                    ..here
                };
                let mut bytes = 0;
                for value in items {
                    bytes += item.push(value, levels)?;
                    levels.repetition = *repetition;
                }
                Ok(bytes)
            }
            Content::Leaf(leaf) => Ok(leaf.push(value, here, around)),
        }
    }

    /// Adds to everything within that there is nothing.
    fn push_missing(&mut self, around: Levels) -> usize {
        match &mut self.content {
            Content::Struct(fields) => fields.iter_mut().map(|field| field.push_missing(around)).sum(),
            Content::List { item, .. } => item.push_missing(around),
            Content::Leaf(leaf) => leaf.push_levels(around),
        }
    }

    fn write<W: std::io::Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match &mut self.content {
            Content::Struct(fields) => fields.iter_mut().try_for_each(|field| field.write(group)),
            Content::List { item, .. } => item.write(group),
            Content::Leaf(leaf) => leaf.write(group),
        }
    }
}

impl Leaf {
    /// A value that the column's type cannot express is as good as none.
    fn push(&mut self, value: &Value, here: Levels, around: Levels) -> usize {
        let pushed = match &mut self.values {
            Values::Boolean(values) => push(values, value.as_bool()),
            Values::Int64(values) => push(values, value.as_i64()),
            Values::Float32(values) => push(values, value.as_f64().map(|value| value as f32)),
            Values::Float64(values) => push(values, value.as_f64()),
            Values::Text(values) => {
                let text = value.as_str();
                let length = text.map_or(0, str::len);
                push(values, text.map(ByteArray::from)).map(|bytes| bytes + length)
            }
        };
        match pushed {
            Some(bytes) => bytes + self.push_levels(here),
            None => self.push_levels(around),
        }
    }

    fn push_levels(&mut self, levels: Levels) -> usize {
        self.definition.push(levels.definition);
        self.repetition.push(levels.repetition);
        size_of::<Levels>()
    }

    fn write<W: std::io::Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match &mut self.values {
            Values::Boolean(values) => {
                write::<BoolType, W>(group, values, &self.definition, &self.repetition)
            }
            Values::Int64(values) => write::<Int64Type, W>(group, values, &self.definition, &self.repetition),
            Values::Float32(values) => {
                write::<FloatType, W>(group, values, &self.definition, &self.repetition)
            }
            Values::Float64(values) => {
                write::<DoubleType, W>(group, values, &self.definition, &self.repetition)
            }
            Values::Text(values) => {
                write::<ByteArrayType, W>(group, values, &self.definition, &self.repetition)
            }
        }?;
        self.definition.clear();
        self.repetition.clear();
        Ok(())
    }
}

/// Adds a value if there is one, and tells how many bytes it takes.
fn push<T>(values: &mut Vec<T>, value: Option<T>) -> Option<usize> {
    values.push(value?);
    Some(size_of::<T>())
}

/// Writes the next column of the row group, and forgets the values.
fn write<T: PhysicalType, W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &mut Vec<T::T>,
    definition: &[i16],
    repetition: &[i16],
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General(
            "more columns than the schema has".to_owned(),
        ));
    };
    column
        .typed::<T>()
        .write_batch(values, Some(definition), Some(repetition))?;
    column.close()?;
    values.clear();
    Ok(())
}
