//! Labels as they stand in the tables.

use crate::label::{LabelJson, from_json};
use modelzoo_plugin_api::{
    Array,
    label::{Label, PlainValue, Vector},
};
use serde::de::Error as _;

/// The content of a row of `labels` or of `embeddings`.
#[derive(Debug)]
pub(super) enum Encoded {
    /// JSON.
    Label(String),
    /// Single precision, little-endian, with the shape as JSON where there is more than one dimension.
    Vector { shape: Option<String>, bytes: Vec<u8> },
}

pub(super) fn encode(label: &Label) -> Result<Encoded, serde_json::Error> {
    Ok(match label {
        Label::Vector(vector) => Encoded::Vector {
            shape: match vector.values.shape() {
                [_] => None,
                shape => Some(serde_json::to_string(shape)?),
            },
            bytes: vector
                .values
                .to_f32()
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect(),
        },
        label => Encoded::Label(serde_json::to_string(&LabelJson(label))?),
    })
}

/// Reads what [`encode`] wrote for a field of type `label_type`.
pub(super) fn decode_label(label_type: &str, text: &str) -> Result<Label, serde_json::Error> {
    let value: serde_json::Value = serde_json::from_str(text)?;
    match label_type {
        // Whatever it looks like, it was a plain value.
        "Value" => Ok(PlainValue::new(value).into()),
        _ => from_json(value).map_err(serde_json::Error::custom),
    }
}

/// Reads what [`encode`] wrote for a vector.
pub(super) fn decode_vector(shape: Option<&str>, bytes: &[u8]) -> Result<Label, serde_json::Error> {
    let numbers: Vec<f32> = bytes
        .chunks_exact(size_of::<f32>())
        .map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]))
        .collect();
    let array = match shape {
        None => Array::vector(numbers),
        Some(shape) => {
            let shape: Vec<usize> = serde_json::from_str(shape)?;
            Array::new(shape, numbers).map_err(serde_json::Error::custom)?
        }
    };
    Ok(Vector::new(array).into())
}
