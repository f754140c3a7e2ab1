//! Boxes in pixels, out of labels whose boxes are relative to their picture.

use modelzoo_plugin_api::label::{Detection, Label};
use serde_json::Value;

/// A box, `[x, y, width, height]` in pixels.
pub type PixelBox = [f64; 4];

/// An object that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct TrueBox {
    /// Its class.
    pub class: String,
    /// Where it is.
    pub bbox: PixelBox,
    /// How many square pixels it covers, which its box may do more of.
    pub area: f64,
    /// Whether it stands for many that lie together: boxes in it are neither right nor wrong.
    pub is_crowd: bool,
}

/// An object that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBox {
    /// Its class.
    pub class: String,
    /// Where it was found.
    pub bbox: PixelBox,
    /// How sure the model is.
    pub confidence: f64,
}

/// The objects of a picture of this size, as a dataset tells them: with their `area` where that is an attribute, or else
/// that of the mask or the box, and `iscrowd` where that is one. Objects without a class are left out. `None` for labels that
/// are no detections.
pub fn true_boxes(label: &Label, size: (u32, u32)) -> Option<Vec<TrueBox>> {
    let with_class = |detection: &Detection| {
        let bbox = in_pixels(detection.bounding_box, size);
        Some(TrueBox {
            class: detection.label.clone()?,
            area: area(detection, bbox),
            bbox,
            is_crowd: detection.attributes.get("iscrowd").is_some_and(is_so),
        })
    };
    Some(detections(label)?.iter().filter_map(with_class).collect())
}

/// The objects that a model found in a picture of this size. Those without a class are left out, and one without a
/// confidence is certain. `None` for labels that are no detections.
pub fn found_boxes(label: &Label, size: (u32, u32)) -> Option<Vec<FoundBox>> {
    let with_class = |detection: &Detection| {
        Some(FoundBox {
            class: detection.label.clone()?,
            bbox: in_pixels(detection.bounding_box, size),
            confidence: detection.confidence.unwrap_or(1.0),
        })
    };
    Some(detections(label)?.iter().filter_map(with_class).collect())
}

fn detections(label: &Label) -> Option<&[Detection]> {
    match label {
        Label::Detection(one) => Some(std::slice::from_ref(one)),
        Label::Detections(all) => Some(&all.detections),
        _ => None,
    }
}

fn in_pixels([x, y, width, height]: [f64; 4], (columns, rows): (u32, u32)) -> PixelBox {
    let (columns, rows) = (f64::from(columns), f64::from(rows));
    [x * columns, y * rows, width * columns, height * rows]
}

fn area(detection: &Detection, bbox: PixelBox) -> f64 {
    let told = detection.attributes.get("area").and_then(Value::as_f64);
    let of_mask = || {
        let mask = detection.mask.as_ref()?;
        let covered = mask.to_f64().iter().filter(|&&value| value > 0.0).count();
        Some(covered as f64)
    };
    told.or_else(of_mask).unwrap_or(bbox[2] * bbox[3])
}

fn is_so(value: &Value) -> bool {
    value
        .as_bool()
        .unwrap_or_else(|| value.as_f64().is_some_and(|number| number != 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::{Array, label::Detections};

    #[test]
    fn boxes_become_pixels_and_areas_are_those_that_are_told() {
        let plain = Detection::new("cat", [0.5, 0.25, 0.5, 0.5]);
        let mut told = plain.clone();
        told.attributes.insert("area".to_owned(), 7.5.into());
        told.attributes.insert("iscrowd".to_owned(), 1.into());
        let masked = plain
            .clone()
            .with_mask(Array::new([1, 3], vec![true, false, true]).unwrap());
        let mut nameless = plain.clone();
        nameless.label = None;
        let label = Detections::new(vec![plain, told, masked, nameless]).into();
        let boxes = true_boxes(&label, (10, 20)).unwrap();
        assert!(boxes.iter().all(|one| one.bbox == [5.0, 5.0, 5.0, 10.0]));
        let facts: Vec<_> = boxes.iter().map(|one| (one.area, one.is_crowd)).collect();
        assert_eq!(facts, [(50.0, false), (7.5, true), (2.0, false)]);
        let found = found_boxes(&label, (10, 20)).unwrap();
        assert_eq!((found.len(), found[0].confidence), (3, 1.0));
        assert_eq!(found_boxes(&Label::Unknown, (1, 1)), None);
    }
}
