//! Numbers in JSON, with MongoDB's spelling of those that JSON lacks (Extended JSON, `$numberDouble`).

use super::error::LabelError;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// Writes a number in the shortest form that reads back as the same, and NaN and the infinities as
/// `{"$numberDouble": "NaN"}`.
pub(crate) struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            return serializer.serialize_f64(self.0);
        }
        let name = match self.0 {
            value if value.is_nan() => "NaN",
            value if value > 0.0 => "Infinity",
            _ => "-Infinity",
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("$numberDouble", name)?;
        map.end()
    }
}

/// Reads a number, whether plain or as `$numberDouble`, `$numberInt` or `$numberLong`.
pub(super) fn read_number(value: &Value) -> Result<f64, LabelError> {
    let extended = || {
        ["$numberDouble", "$numberInt", "$numberLong"]
            .into_iter()
            .find_map(|key| value.get(key)?.as_str()?.parse().ok())
    };
    value
        .as_f64()
        .or_else(extended)
        .ok_or_else(|| LabelError::expected("a number", value))
}

/// Reads a whole number.
pub(super) fn read_integer(value: &Value) -> Result<i64, LabelError> {
    let extended = || {
        ["$numberInt", "$numberLong"]
            .into_iter()
            .find_map(|key| value.get(key)?.as_str()?.parse().ok())
    };
    let whole = || {
        value
            .as_f64()
            .filter(|number| number.fract() == 0.0 && number.abs() < 2f64.powi(53))
    };
    value
        .as_i64()
        .or_else(extended)
        .or_else(|| whole().map(|number| number as i64))
        .ok_or_else(|| LabelError::expected("a whole number", value))
}
