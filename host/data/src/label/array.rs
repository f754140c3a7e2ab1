//! Arrays in JSON: compressed NPY in base64, as FiftyOne stores them.

use super::{
    error::LabelError,
    npy::{read_npy, write_npy},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use modelzoo_plugin_api::Array;
use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};
use serde_json::Value;
use std::io::{Read, Write};

/// The most bytes an array may have after decompression: a map of 16,000 x 16,000 single-precision numbers.
const MAX_ARRAY_BYTES: u64 = 1 << 30;

/// Writes an array as `{"$binary": {"base64": ..., "subType": "00"}}`.
pub(super) struct ArrayJson<'a>(pub &'a Array);

impl Serialize for ArrayJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Binary {
            base64: String,
            #[serde(rename = "subType")]
            sub_type: &'static str,
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&write_npy(self.0)).map_err(S::Error::custom)?;
        let compressed = encoder.finish().map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(
            "$binary",
            &Binary {
                base64: BASE64_STANDARD.encode(compressed),
                sub_type: "00",
            },
        )?;
        map.end()
    }
}

/// Whether a JSON value is an array in this encoding.
pub(super) fn is_array(value: &Value) -> bool {
    value.get("$binary").is_some()
}

/// Reads what [`ArrayJson`] writes, and MongoDB's older spelling `{"$binary": "...", "$type": "00"}`.
pub(super) fn read_array(value: &Value) -> Result<Array, LabelError> {
    let binary = value
        .get("$binary")
        .and_then(|binary| binary.get("base64").or(Some(binary)));
    let text = binary
        .and_then(Value::as_str)
        .ok_or_else(|| LabelError::expected("an array in $binary", value))?;
    let broken = |found: String| LabelError::new("expected base64 of zlib of an NPY file", found);
    let compressed = BASE64_STANDARD
        .decode(text)
        .map_err(|error| broken(error.to_string()))?;
    let mut file = Vec::new();
    let limited = ZlibDecoder::new(compressed.as_slice())
        .take(MAX_ARRAY_BYTES + 1)
        .read_to_end(&mut file);
    limited.map_err(|error| broken(error.to_string()))?;
    if file.len() as u64 > MAX_ARRAY_BYTES {
        return Err(broken(format!("more than {MAX_ARRAY_BYTES} bytes")));
    }
    read_npy(&file)
}
