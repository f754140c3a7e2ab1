//! Reading Parquet with the library's reader, which puts nesting together by itself.

use parquet::{
    file::reader::{ChunkReader, FileReader, SerializedFileReader},
    record::{Field, Row},
};
use serde_json::{Value, json};

/// The rows of a file as JSON, where nulls of structs are left out, and the facts of its metadata.
pub(in crate::format) fn read(file: impl ChunkReader + 'static) -> (Vec<Value>, Vec<(String, String)>) {
    let reader = SerializedFileReader::new(file).unwrap();
    let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let facts = metadata
        .iter()
        .filter(|fact| fact.key != "ARROW:schema")
        .map(|fact| (fact.key.clone(), fact.value.clone().unwrap()))
        .collect();
    let rows = reader.get_row_iter(None).unwrap();
    (rows.map(|row| object(&row.unwrap())).collect(), facts)
}

fn object(row: &Row) -> Value {
    let fields = row.get_column_iter();
    fields
        .filter(|(_, field)| !matches!(field, Field::Null))
        .map(|(name, field)| (name.clone(), value(field)))
        .collect()
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => json!(value),
        Field::Long(value) => json!(value),
        // As it is written: 0.1 and not 0.10000000149.
        Field::Float(value) => json!(value.to_string().parse::<f64>().unwrap()),
        Field::Double(value) => json!(value),
        Field::Str(value) => json!(value),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        other => panic!("no column is of this type: {other:?}"),
    }
}
