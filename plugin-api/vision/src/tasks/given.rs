//! Objects that stand in a field of a sample, for models that look at parts of a picture.

use modelzoo_plugin_api::{Error, ErrorKind, Result, SampleFields};
use serde::Deserialize;
use serde_json::Value;

/// More objects than anybody looks at one by one.
const MOST: usize = 1 << 16;

/// The objects of a field, in FiftyOne's JSON form.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// Boxes.
    Detections(Vec<GivenBox>),
    /// Outlines.
    Polylines(Vec<GivenOutline>),
}

/// A detection.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct GivenBox {
    /// `[x, y, width, height]`, relative to the picture.
    pub(super) bounding_box: [f64; 4],
    #[serde(default)]
    pub(super) label: Option<String>,
    #[serde(default)]
    pub(super) index: Option<i64>,
}

/// A polyline.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct GivenOutline {
    /// The vertices of each piece, `[x, y]`, relative to the picture.
    pub(super) points: Vec<Vec<[f64; 2]>>,
    #[serde(default)]
    pub(super) label: Option<String>,
    #[serde(default)]
    pub(super) index: Option<i64>,
}

impl GivenOutline {
    fn bounds(self) -> Option<GivenBox> {
        let points = self.points.into_iter().flatten();
        let around = points.fold(None, |around: Option<[f64; 4]>, [x, y]| {
            let [left, top, right, bottom] = around.unwrap_or([x, y, x, y]);
            Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
        });
        let [left, top, right, bottom] = around?;
        Some(GivenBox {
            bounding_box: [left, top, right - left, bottom - top],
            label: self.label,
            index: self.index,
        })
    }
}

impl Given {
    /// The objects in the field that the model knows as `name`; `None` where the sample has none.
    ///
    /// # Errors
    /// When there is something else in it.
    pub(super) fn read(sample: &SampleFields, name: &str) -> Result<Option<Self>> {
        let Some(value) = sample.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let wrong = |what: &str| {
            Error::new(format!("the field for `{name}` has {what}"))
                .with_kind(ErrorKind::InvalidInput)
                .with_hint("it takes detections or polylines, as a detector writes them")
        };
        let list = |key: &str| value.get(key).cloned().unwrap_or_default();
        let given = match value.get("_cls").and_then(Value::as_str) {
            Some("Detections") => serde_json::from_value(list("detections")).map(Self::Detections),
            Some("Polylines") => serde_json::from_value(list("polylines")).map(Self::Polylines),
            Some("Detection") => serde_json::from_value(value.clone()).map(|one| Self::Detections(vec![one])),
            Some("Polyline") => serde_json::from_value(value.clone()).map(|one| Self::Polylines(vec![one])),
            Some(other) => return Err(wrong(&format!("labels of the type {other}"))),
            None => return Err(wrong("no labels")),
        };
        let given = given.map_err(|error| wrong(&format!("labels that cannot be read ({error})")))?;
        if given.is_sound() {
            Ok(Some(given))
        } else {
            Err(wrong(&format!(
                "places that are no numbers, or more than {MOST} objects"
            )))
        }
    }

    /// How many objects there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Detections(boxes) => boxes.len(),
            Self::Polylines(outlines) => outlines.len(),
        }
    }

    /// The boxes of the objects; that of an outline is around all of its vertices.
    pub(super) fn boxes(self) -> Vec<GivenBox> {
        match self {
            Self::Detections(boxes) => boxes,
            Self::Polylines(outlines) => outlines.into_iter().filter_map(GivenOutline::bounds).collect(),
        }
    }

    fn is_sound(&self) -> bool {
        let is_finite = match self {
            Self::Detections(boxes) => boxes.iter().flat_map(|one| one.bounding_box).all(f64::is_finite),
            Self::Polylines(outlines) => outlines
                .iter()
                .flat_map(|one| one.points.iter().flatten().flatten())
                .all(|place| place.is_finite()),
        };
        is_finite && self.count() <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Option<Given>> {
        Given::read(&SampleFields::from([("boxes".to_owned(), value)]), "boxes")
    }

    #[test]
    fn objects_are_read_in_all_forms() {
        assert_eq!(Given::read(&SampleFields::new(), "boxes").unwrap(), None);
        assert_eq!(read(Value::Null).unwrap(), None);
        let detection =
            json!({"_cls": "Detection", "bounding_box": [0.0, 0.1, 0.2, 0.3], "label": "cat", "mask": 7});
        let one = read(detection.clone()).unwrap().unwrap();
        let list = read(json!({"_cls": "Detections", "detections": [detection]}));
        assert_eq!(list.unwrap().unwrap(), one);
        let polyline = json!({"_cls": "Polyline", "points": [[[0.0, 0.1], [0.2, 0.3]]], "index": 3});
        let Given::Polylines(outlines) = read(polyline).unwrap().unwrap() else {
            panic!("no polylines");
        };
        assert_eq!(outlines[0].index, Some(3));
        let boxes = Given::Polylines(outlines).boxes();
        assert_eq!(boxes[0].bounding_box, [0.0, 0.1, 0.2, 0.3 - 0.1]);
    }

    #[test]
    fn what_is_no_object_is_told() {
        for (value, part) in [
            (json!("text"), "no labels"),
            (json!({"_cls": "Heatmap"}), "Heatmap"),
            (json!({"_cls": "Detections"}), "cannot be read"),
            (
                json!({"_cls": "Detection", "bounding_box": [1, 2]}),
                "cannot be read",
            ),
            (
                json!({"_cls": "Polyline", "points": [[["a", 1]]]}),
                "cannot be read",
            ),
        ] {
            let error = read(value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
