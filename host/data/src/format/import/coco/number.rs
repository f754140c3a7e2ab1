//! Numbers, from JSON of whatever spelling.

use serde_json::Value;

/// A floating number as the whole number that it is.
pub(super) fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A finite number, or the text of one.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        _ => value.as_f64(),
    }
    .filter(|number: &f64| number.is_finite())
}
