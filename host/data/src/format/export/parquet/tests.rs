//! What is taken apart is put together the same by a reader.

use super::{
    arrow_schema,
    schema::{DataType, Field, to_parquet},
    shredder::Shredder,
};
use crate::format::tests::parquet_rows;
use parquet::file::{metadata::KeyValue, properties::WriterProperties, writer::SerializedFileWriter};
use proptest::{collection, option, prelude::*};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Writes row groups of rows, and reads all rows back.
fn through_parquet(columns: &[Field], groups: &[Vec<Value>]) -> Vec<Value> {
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(vec![KeyValue::new("a".to_owned(), "b".to_owned())]))
        .build();
    let schema = to_parquet(columns).unwrap();
    let file = tempfile::tempfile().unwrap();
    let mut file = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut shredder = Shredder::new(columns);
    for rows in groups {
        for row in rows {
            shredder.push(row).unwrap();
        }
        assert_eq!(shredder.bytes() == 0, rows.is_empty());
        shredder.write(&mut file).unwrap();
        assert_eq!(shredder.bytes(), 0);
    }
    parquet_rows::read(file.into_inner().unwrap()).0
}

/// A value without the nulls of its structs, which say the same as what is not there.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        other => other.clone(),
    }
}

fn any_type() -> impl Strategy<Value = DataType> {
    let leaf = prop_oneof![
        Just(DataType::Boolean),
        Just(DataType::Int64),
        Just(DataType::Float32),
        Just(DataType::Float64),
        Just(DataType::Text),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(DataType::list),
            (inner.clone(), 1..4).prop_map(|(item, length)| DataType::fixed_size_list(item, length)),
            collection::vec(inner, 1..4).prop_map(|types| DataType::Struct(any_fields(types))),
        ]
    })
}

fn any_fields(types: Vec<DataType>) -> Vec<Field> {
    let fields = types.into_iter().enumerate();
    fields
        .map(|(index, data_type)| Field::nullable(&format!("f{index}"), data_type))
        .collect()
}

/// Values of a type, among them nulls.
fn any_value(data_type: &DataType) -> BoxedStrategy<Value> {
    let value = match data_type {
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::Int64 => any::<i64>().prop_map(Value::from).boxed(),
        DataType::Float32 => (-1e6..1e6_f32)
            .prop_map(|value| json!(value.to_string().parse::<f64>().unwrap_or_default()))
            .boxed(),
        DataType::Float64 => any::<f64>().prop_map(Value::from).boxed(),
        DataType::Text => any::<String>().prop_map(Value::from).boxed(),
        DataType::Struct(fields) => any_row(fields),
        DataType::List(item) => collection::vec(any_value(&item.data_type), 0..4)
            .prop_map(Value::from)
            .boxed(),
        DataType::FixedSizeList(item, length) => {
            collection::vec(any_value(&item.data_type), *length as usize)
                .prop_map(Value::from)
                .boxed()
        }
    };
    option::weighted(0.8, value)
        .prop_map(|value| value.unwrap_or_default())
        .boxed()
}

fn any_row(fields: &[Field]) -> BoxedStrategy<Value> {
    let named = |field: &Field| {
        let name = field.name.clone();
        any_value(&field.data_type).prop_map(move |value| (name.clone(), value))
    };
    let fields: Vec<_> = fields.iter().map(named).collect();
    fields
        .prop_map(|fields| Value::Object(Map::from_iter(fields)))
        .boxed()
}

fn any_table() -> impl Strategy<Value = (Vec<Field>, Vec<Vec<Value>>)> {
    collection::vec(any_type(), 1..4).prop_flat_map(|types| {
        let columns = any_fields(types);
        let groups = collection::vec(collection::vec(any_row(&columns), 0..6), 1..3);
        (Just(columns), groups)
    })
}

proptest! {
    #[test]
    fn rows_come_back((columns, groups) in any_table()) {
        let rows: Vec<Value> = groups.iter().flatten().map(without_nulls).collect();
        prop_assert_eq!(through_parquet(&columns, &groups), rows);
    }
}

#[test]
fn nothing_and_empty_are_told_apart() {
    let pair = DataType::Struct(any_fields(vec![DataType::Int64, DataType::Text]));
    let columns = [Field::nullable("lists", DataType::list(DataType::list(pair)))];
    let rows = [
        json!({}),
        json!({"lists": null}),
        json!({"lists": []}),
        json!({"lists": [null]}),
        json!({"lists": [[]]}),
        json!({"lists": [[null], null, [], [{}, {"f0": 7}, {"f1": ""}]]}),
    ];
    let expected: Vec<Value> = rows.iter().map(without_nulls).collect();
    assert_eq!(through_parquet(&columns, &[rows.to_vec()]), expected);
}

#[test]
fn a_list_of_another_length_is_refused() {
    let columns = [Field::nullable(
        "vector",
        DataType::fixed_size_list(DataType::Float32, 2),
    )];
    let mut shredder = Shredder::new(&columns);
    shredder.push(&json!({"vector": [1.0, 2.0]})).unwrap();
    let error = shredder.push(&json!({"vector": [1.0]})).unwrap_err();
    assert_eq!(error.to_string(), "vector: a list of 1 among lists of 2");
}

/// PyArrow 26 reads this text as the columns here.
#[test]
fn the_schema_is_said_as_arrow_says_it() {
    let columns = [
        Field::required("name", DataType::Text),
        Field::nullable("pair", DataType::fixed_size_list(DataType::Float32, 2)),
    ];
    assert_eq!(
        arrow_schema::encode(&columns, &[]),
        "//////AAAAAQAAAAAAAKAAwACgAJAAQACgAAABAAAAAAAQQACAAIAAAABAAIAAAABAAAAAIAAACUAAAABAAAAMj/\
         //8sAAAAFAAAAAAAEAEUAAAAAAAGAAgABAAGAAAAAgAAAAQAAABwYWlyAAAAAAEAAAAUAAAAEAAWABAADwAOAAgA\
         AAAEABAAAAAsAAAAFAAAAAAAAwEUAAAAAAAGAAgABgAGAAAAAAABAAQAAABpdGVtAAAAAAAAAAAQABQAEAAPAA4A\
         CAAAAAQAEAAAACQAAAAQAAAAAAAFAAwAAAAEAAQABAAAAAQAAABuYW1lAAAAAAAAAAA="
    );
}
