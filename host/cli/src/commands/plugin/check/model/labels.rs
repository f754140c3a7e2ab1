//! Whether labels are within the ranges that FiftyOne's formats have.

use super::super::{Report, rules};
use modelzoo::plugin_api::{ModelInfo, Output};
use serde_json::Value;
use std::collections::BTreeSet;

/// Boxes may reach beyond the picture by so much of it; further out, they are likely in pixels.
const MOST_BEYOND: f64 = 1.0;

/// Looks at every label of a prediction.
pub(super) fn check(output: &Output, info: &ModelInfo, report: &mut Report) {
    let Ok(value) = serde_json::to_value(output) else {
        return report.bad(&rules::LABELS, "the labels cannot be written as JSON");
    };
    let mut faults = BTreeSet::new();
    let classes: BTreeSet<&str> = info.classes.iter().map(String::as_str).collect();
    look(&value, &classes, &mut faults);
    if faults.is_empty() {
        report.good(&rules::LABELS, "within the ranges that their users expect");
    } else {
        report.bad(&rules::LABELS, Vec::from_iter(faults).join("; "));
    }
}

fn look(value: &Value, classes: &BTreeSet<&str>, faults: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| look(item, classes, faults)),
        Value::Object(fields) => {
            for (field, value) in fields {
                faults.extend(fault(field, value, classes));
                look(value, classes, faults);
            }
        }
        _ => {}
    }
}

/// What is wrong with one field of a label.
fn fault(field: &str, value: &Value, classes: &BTreeSet<&str>) -> Option<String> {
    match (field, value) {
        ("confidence", Value::Array(all)) => all.iter().find_map(confidence),
        ("confidence", one) => confidence(one),
        ("bounding_box", bounding_box) => bad_box(bounding_box),
        ("label", Value::String(label)) => {
            let is_known = classes.is_empty() || classes.contains(label.as_str());
            (label.is_empty() || !is_known)
                .then(|| format!("the label {label:?} is not among the model's classes"))
        }
        _ => None,
    }
}

fn confidence(value: &Value) -> Option<String> {
    let is_in_range = value.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number));
    (!is_in_range).then(|| format!("the confidence {} is not from 0 to 1", number(value)))
}

fn bad_box(value: &Value) -> Option<String> {
    let edges: Option<Vec<f64>> = value
        .as_array()
        .and_then(|edges| edges.iter().map(Value::as_f64).collect());
    let is_sound = matches!(edges.as_deref(), Some(&[x, y, width, height])
        if width >= 0.0 && height >= 0.0
            && [x, y, x + width, y + height]
                .iter()
                .all(|edge| (-MOST_BEYOND..=1.0 + MOST_BEYOND).contains(edge)));
    (!is_sound).then(|| format!("the box {} is far out of the picture, or none", number(value)))
}

/// JSON has no word for what is no number.
fn number(value: &Value) -> String {
    value.to_string().replace("null", "NaN")
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo::plugin_api::label::{Classification, Detection, Detections};

    fn faults(output: impl Into<Output>) -> usize {
        let value = serde_json::to_value(output.into()).unwrap();
        let mut faults = BTreeSet::new();
        look(&value, &BTreeSet::from(["cat", "dog"]), &mut faults);
        faults.len()
    }

    #[test]
    fn ranges_and_classes_are_looked_at() {
        let boxed = |edges| Detections::new(vec![Detection::new("cat", edges).with_confidence(0.5)]);
        assert_eq!(faults(boxed([0.1, 0.2, 0.3, 0.4])), 0);
        assert_eq!(
            faults(boxed([-0.1, 0.2, 1.3, 0.4])),
            0,
            "objects are cut by the picture's edge"
        );
        assert_eq!(faults(boxed([10.0, 20.0, 300.0, 40.0])), 1);
        assert_eq!(faults(boxed([0.1, 0.2, -0.3, 0.4])), 1);
        assert_eq!(faults(boxed([0.1, f64::NAN, 0.3, 0.4])), 1);
        assert_eq!(faults(Classification::new("dog").with_confidence(1.0)), 0);
        assert_eq!(faults(Classification::blank()), 0);
        assert_eq!(faults(Classification::new("dog").with_confidence(87.5)), 1);
        assert_eq!(faults(Classification::new("dog").with_confidence(f64::NAN)), 1);
        assert_eq!(faults(Classification::new("bird").with_confidence(-0.1)), 2);
    }
}
