//! Whether two answers are the same, or nearly so.

use super::super::{Report, rules::Rule};
use crate::terminal::Failure;
use serde::Serialize;
use serde_json::Value;

/// Numbers may differ by so much of the larger one, as sums in another order do.
const TOLERANCE: f64 = 1e-3;

/// Of so many entries of a list, one may differ more: pixels at the edge of a mask.
const ENTRIES_FOR_EACH_OUTLIER: usize = 100;

/// An answer that was had in another way has to be the same as the first one.
pub(super) fn same<T: PartialEq>(
    rule: &'static Rule,
    first: &T,
    other: Result<T, impl Into<Failure>>,
    report: &mut Report,
) {
    let Some(other) = report.value(rule, other) else {
        return;
    };
    if other == *first {
        report.good(rule, "the same result");
    } else {
        report.bad(rule, "another result, or one with values that are no numbers");
    }
}

/// Whether two answers say the same, but for rounding.
pub(super) fn are_near(one: &impl Serialize, other: &impl Serialize) -> bool {
    match (serde_json::to_value(one), serde_json::to_value(other)) {
        (Ok(one), Ok(other)) => values_are_near(&one, &other),
        _ => false,
    }
}

/// Where what was given differs from what was expected, in words; `None` where it does not, but for rounding.
pub(super) fn difference(expected: &impl Serialize, given: &impl Serialize) -> Option<String> {
    match (serde_json::to_value(expected), serde_json::to_value(given)) {
        (Ok(expected), Ok(given)) => first_difference(&expected, &given, ""),
        _ => Some("it cannot be compared".to_owned()),
    }
}

fn first_difference(expected: &Value, given: &Value, place: &str) -> Option<String> {
    if values_are_near(expected, given) {
        return None;
    }
    let at = |key: &str| match place {
        "" => key.to_owned(),
        place => format!("{place}.{key}"),
    };
    let within = match (expected, given) {
        (Value::Array(one), Value::Array(other)) if one.len() != other.len() => {
            return Some(format!(
                "{place} has {} entries and not {}",
                other.len(),
                one.len()
            ));
        }
        (Value::Array(one), Value::Array(other)) => {
            (0..)
                .zip(one.iter().zip(other))
                .find_map(|(index, (one, other)): (usize, _)| {
                    first_difference(one, other, &at(&index.to_string()))
                })
        }
        (Value::Object(one), Value::Object(other)) => one
            .iter()
            .find_map(|(key, one)| first_difference(one, other.get(key).unwrap_or(&Value::Null), &at(key))),
        _ => Some(format!("{place} is {given} and not {expected}")),
    };
    within.or_else(|| Some(format!("{place} says more than was expected")))
}

fn values_are_near(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => {
                (one - other).abs() <= TOLERANCE * one.abs().max(other.abs()).max(1.0)
            }
            _ => one == other,
        },
        (Value::Array(one), Value::Array(other)) => {
            let outliers = one
                .iter()
                .zip(other)
                .filter(|(one, other)| !values_are_near(one, other));
            one.len() == other.len() && outliers.count() <= one.len() / ENTRIES_FOR_EACH_OUTLIER
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_near = |(key, value): (&String, &Value)| {
                other.get(key).is_some_and(|other| values_are_near(value, other))
            };
            one.len() == other.len() && one.iter().all(is_near)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_named() {
        let expected = json!({ "label": "cat", "boxes": [[0.1, 0.2], [0.3, 0.4]] });
        let told = |given: Value| difference(&expected, &given);
        assert_eq!(told(expected.clone()), None);
        let other = json!({ "label": "cat", "boxes": [[0.1, 0.2], [0.3, 0.5]] });
        assert_eq!(told(other).unwrap(), "boxes.1.1 is 0.5 and not 0.4");
        let fewer = json!({ "label": "cat", "boxes": [] });
        assert_eq!(told(fewer).unwrap(), "boxes has 0 entries and not 2");
        let missing = json!({ "boxes": [[0.1, 0.2], [0.3, 0.4]] });
        assert_eq!(told(missing).unwrap(), "label is null and not \"cat\"");
        let mut more = expected.clone();
        more["tags"] = json!(["new"]);
        assert!(told(more).unwrap().contains("more than was expected"));
    }

    #[test]
    fn rounding_is_no_difference_and_anything_else_is() {
        let one = json!({ "label": "cat", "confidence": 0.9, "box": [0.1, 0.2] });
        let near = json!({ "label": "cat", "confidence": 0.9002, "box": [0.1, 0.2] });
        assert!(are_near(&one, &near));
        for other in [
            json!({ "label": "dog", "confidence": 0.9, "box": [0.1, 0.2] }),
            json!({ "label": "cat", "confidence": 0.8, "box": [0.1, 0.2] }),
            json!({ "label": "cat", "confidence": 0.9, "box": [0.1, 0.2, 0.3] }),
            json!({ "label": "cat", "confidence": 0.9 }),
            json!({ "label": "cat", "confidence": null, "box": [0.1, 0.2] }),
        ] {
            assert!(!are_near(&one, &other), "{other}");
        }
        let mut mask = vec![1; 1000];
        mask[3] = 0;
        assert!(are_near(&vec![1; 1000], &mask));
        mask[..20].fill(0);
        assert!(!are_near(&vec![1; 1000], &mask));
    }
}
