//! Points that stand in a field of a sample, of which some may be beside the object.

use modelzoo_plugin_api::{Error, ErrorKind, Result, SampleFields};
use serde_json::Value;

/// More objects than anybody points at one by one, and more points of one.
const MOST: usize = 1 << 16;
const MOST_POINTS: usize = 1 << 10;

/// The attributes that say which points are on the object (1) and which beside it (0), as FiftyOne has them; the first one
/// that is there counts.
const KINDS: [&str; 2] = ["sam_labels", "sam2_labels"];

/// The points of one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GivenPoints {
    /// `[x, y]`, relative to the picture, and whether it is on the object; those that are missing are left out.
    pub(super) points: Vec<([f64; 2], bool)>,
    pub(super) label: Option<String>,
    pub(super) index: Option<i64>,
}

/// The points in the field that the model knows as `name`, in FiftyOne's JSON form; `None` where the sample has none.
///
/// # Errors
/// When there is something else in it.
pub(super) fn read(sample: &SampleFields, name: &str) -> Result<Option<Vec<GivenPoints>>> {
    let Some(value) = sample.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let wrong = |what: &str| {
        Error::new(format!("the field for `{name}` has {what}"))
            .with_kind(ErrorKind::InvalidInput)
            .with_hint("it takes keypoints; `sam_labels` of each may say which are on the object (1) and which beside it (0)")
    };
    let objects = match value.get("_cls").and_then(Value::as_str) {
        Some("Keypoints") => value
            .get("keypoints")
            .and_then(Value::as_array)
            .map(Vec::as_slice),
        Some("Keypoint") => Some(std::slice::from_ref(value)),
        Some(other) => return Err(wrong(&format!("labels of the type {other}"))),
        None => return Err(wrong("no labels")),
    };
    let objects = objects.ok_or_else(|| wrong("keypoints that cannot be read"))?;
    if objects.len() > MOST {
        return Err(wrong(&format!("more than {MOST} objects")));
    }
    let objects = objects
        .iter()
        .map(|object| of_object(object).map_err(|what| wrong(&what)));
    objects.collect::<Result<Vec<_>>>().map(Some)
}

/// The points of an object, or what is wrong with them.
fn of_object(object: &Value) -> Result<GivenPoints, String> {
    let list = |key: &str| object.get(key).and_then(Value::as_array);
    let points = list("points").ok_or("keypoints without a list of points")?;
    if points.len() > MOST_POINTS {
        return Err(format!("an object of more than {MOST_POINTS} points"));
    }
    let kinds = KINDS
        .iter()
        .find(|key| object.get(**key).is_some_and(|value| !value.is_null()));
    let kinds = match kinds {
        None => vec![true; points.len()],
        Some(key) => {
            let kinds = list(key).map(|kinds| kinds.iter().map(kind).collect::<Option<Vec<bool>>>());
            match kinds.flatten() {
                Some(kinds) if kinds.len() == points.len() => kinds,
                Some(kinds) => {
                    return Err(format!(
                        "{} points and {} values in `{key}` of one object",
                        points.len(),
                        kinds.len()
                    ));
                }
                None => return Err(format!("something else than 0 and 1 in `{key}`")),
            }
        }
    };
    let mut given = GivenPoints {
        label: object.get("label").and_then(Value::as_str).map(str::to_owned),
        index: object.get("index").and_then(Value::as_i64),
        ..GivenPoints::default()
    };
    for (point, is_inside) in points.iter().zip(kinds) {
        let Some([x, y]) = point.as_array().map(Vec::as_slice) else {
            return Err("points that are not two numbers".to_owned());
        };
        // A point that is missing has no numbers.
        if let (Some(x), Some(y)) = (x.as_f64(), y.as_f64()) {
            given.points.push(([x, y], is_inside));
        }
    }
    Ok(given)
}

/// Whether a point is on the object.
fn kind(value: &Value) -> Option<bool> {
    match value.as_f64() {
        Some(1.0) => Some(true),
        Some(0.0) => Some(false),
        _ => value.as_bool(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_value(value: Value) -> Result<Option<Vec<GivenPoints>>> {
        read(&SampleFields::from([("points".to_owned(), value)]), "points")
    }

    #[test]
    fn points_are_read_with_what_they_are() {
        assert_eq!(read(&SampleFields::new(), "points").unwrap(), None);
        assert_eq!(read_value(Value::Null).unwrap(), None);
        let nothing = json!({"$numberDouble": "NaN"});
        let one = json!({"_cls": "Keypoint", "points": [[0.5, 0.25], [nothing, nothing], [0.75, 0]],
            "sam_labels": [1, 1, 0], "label": "cat", "index": 3});
        let expected = GivenPoints {
            points: vec![([0.5, 0.25], true), ([0.75, 0.0], false)],
            label: Some("cat".to_owned()),
            index: Some(3),
        };
        assert_eq!(
            read_value(one.clone()).unwrap().unwrap(),
            std::slice::from_ref(&expected)
        );
        let several = json!({"_cls": "Keypoints", "keypoints": [one, {"points": [[0.1, 0.2]]}]});
        let several = read_value(several).unwrap().unwrap();
        assert_eq!(several[0], expected);
        assert_eq!(several[1].points, [([0.1, 0.2], true)]);
    }

    #[test]
    fn what_is_no_point_is_told() {
        for (value, part) in [
            (json!([1, 2]), "no labels"),
            (json!({"_cls": "Detections", "detections": []}), "Detections"),
            (json!({"_cls": "Keypoints"}), "cannot be read"),
            (
                json!({"_cls": "Keypoint", "label": "cat"}),
                "without a list of points",
            ),
            (
                json!({"_cls": "Keypoint", "points": [[1, 2, 3]]}),
                "not two numbers",
            ),
            (
                json!({"_cls": "Keypoint", "points": [[1, 2]], "sam_labels": [1, 0]}),
                "1 points and 2 values in `sam_labels`",
            ),
            (
                json!({"_cls": "Keypoint", "points": [[1, 2]], "sam2_labels": [-1]}),
                "something else than 0 and 1 in `sam2_labels`",
            ),
            (
                json!({"_cls": "Keypoint", "points": vec![[0.5, 0.5]; MOST_POINTS + 1]}),
                "more than 1024 points",
            ),
        ] {
            let error = read_value(value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
