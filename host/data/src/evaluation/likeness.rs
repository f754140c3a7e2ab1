//! How alike two labels of the same picture are.

use crate::boxes;
use modelzoo_plugin_api::label::{Classification, Classifications, Keypoint, Label, Polyline};

/// So far apart, as a part of the picture, two points may be that are the same one.
const SAME_POINT: f64 = 0.02;

/// Something in a picture.
pub(super) struct Object<'a> {
    pub(super) class: Option<&'a str>,
    /// `[x, y, width, height]`.
    pub(super) bounds: [f64; 4],
    pub(super) confidence: f64,
}

/// What is said of the picture as a whole, first of all.
pub(super) fn class(label: &Label) -> Option<String> {
    match label {
        Label::Classification(Classification { label, .. }) => label.clone(),
        Label::Classifications(Classifications { classifications, .. }) => {
            let confidence = |one: &Classification| one.confidence.unwrap_or(0.0);
            let surest = classifications.iter().reduce(|surest, one| {
                if confidence(one) > confidence(surest) {
                    one
                } else {
                    surest
                }
            });
            surest?.label.clone()
        }
        Label::Value(plain) => Some(plain.value.to_string()),
        _ => None,
    }
}

pub(super) fn objects(label: Option<&Label>) -> Vec<Object<'_>> {
    let lines = match label {
        Some(Label::Detection(one)) => std::slice::from_ref(one),
        Some(Label::Detections(all)) => &all.detections,
        Some(Label::Polyline(one)) => return vec![outline(one)],
        Some(Label::Polylines(all)) => return all.polylines.iter().map(outline).collect(),
        _ => &[],
    };
    lines
        .iter()
        .map(|detection| Object {
            class: detection.label.as_deref(),
            bounds: detection.bounding_box,
            confidence: detection.confidence.unwrap_or(1.0),
        })
        .collect()
}

fn outline(line: &Polyline) -> Object<'_> {
    let points = || line.points.iter().flatten();
    let least = |axis: usize| points().map(|point| point[axis]).fold(f64::INFINITY, f64::min);
    let most = |axis: usize| {
        points()
            .map(|point| point[axis])
            .fold(f64::NEG_INFINITY, f64::max)
    };
    Object {
        class: line.label.as_deref(),
        bounds: [least(0), least(1), most(0) - least(0), most(1) - least(1)],
        confidence: line.confidence.unwrap_or(1.0),
    }
}

pub(super) fn skeletons(label: Option<&Label>) -> &[Keypoint] {
    match label {
        Some(Label::Keypoint(one)) => std::slice::from_ref(one),
        Some(Label::Keypoints(all)) => &all.keypoints,
        _ => &[],
    }
}

/// What two boxes share of what they cover together.
pub(super) fn overlap(one: [f64; 4], other: [f64; 4]) -> f64 {
    let common = boxes::common_area(one, other);
    let together = boxes::area(one) + boxes::area(other) - common;
    if together > 0.0 {
        common / together
    } else {
        f64::from(u8::from(one == other))
    }
}

/// The part of the points that are in the same place, or missing on both sides.
pub(super) fn shared_points(one: &Keypoint, other: &Keypoint) -> f64 {
    let is_missing = |point: &[f64; 2]| point.iter().any(|place| place.is_nan());
    let is_same = |(one, other): &(&[f64; 2], &[f64; 2])| {
        let distance = (one[0] - other[0]).hypot(one[1] - other[1]);
        distance <= SAME_POINT || (is_missing(one) && is_missing(other))
    };
    let count = one.points.len().max(other.points.len());
    let same = one.points.iter().zip(&other.points).filter(is_same).count();
    if count == 0 {
        1.0
    } else {
        same as f64 / count as f64
    }
}

pub(super) fn same_share(one: &[f64], other: &[f64]) -> f64 {
    let same = one.iter().zip(other).filter(|(one, other)| one == other).count();
    if one.is_empty() {
        1.0
    } else {
        same as f64 / one.len() as f64
    }
}

pub(super) fn cosine(one: &[f64], other: &[f64]) -> f64 {
    let product =
        |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f64>();
    if one == other {
        return 1.0;
    }
    product(one, other) / (product(one, one) * product(other, other)).sqrt()
}

pub(super) fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect()
    };
    if one == other {
        return 1.0;
    }
    cosine(&centred(one), &centred(other))
}
