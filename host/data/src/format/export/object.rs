//! What formats of objects (boxes, outlines, points) have in common: the objects of a sample, whatever their labels.

use super::SampleRecord;
use crate::format::notes::Notes;
use modelzoo_plugin_api::label::{Detection, Keypoint, Label, Polyline};

/// An object in a picture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object<'a> {
    Detection(&'a Detection),
    Polyline(&'a Polyline),
    Keypoint(&'a Keypoint),
}

impl<'a> Object<'a> {
    /// The class, and the field's name where the model names none.
    pub fn class(&self, field: &'a str) -> &'a str {
        let label = match self {
            Self::Detection(detection) => &detection.label,
            Self::Polyline(polyline) => &polyline.label,
            Self::Keypoint(keypoint) => &keypoint.label,
        };
        label.as_deref().unwrap_or(field)
    }

    /// How sure the model is; of points their mean.
    pub fn confidence(&self) -> Option<f64> {
        match self {
            Self::Detection(detection) => detection.confidence,
            Self::Polyline(polyline) => polyline.confidence,
            Self::Keypoint(keypoint) => {
                let confidences = keypoint.confidence.as_ref()?;
                let found = keypoint.points.iter().zip(confidences);
                let found: Vec<f64> = found
                    .filter(|(point, confidence)| point[0].is_finite() && confidence.is_finite())
                    .map(|(_, &confidence)| confidence)
                    .collect();
                (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
            }
        }
    }
}

/// The objects of a sample with their fields, in the order of the fields' names. Other labels are noted.
pub(super) fn objects<'a>(record: &'a SampleRecord, notes: &mut Notes) -> Vec<(&'a str, Object<'a>)> {
    let mut objects = Vec::new();
    for (field, label) in &record.labels.sample {
        let field = field.as_str();
        match label {
            Label::Detection(one) => objects.push((field, Object::Detection(one))),
            Label::Detections(all) => {
                objects.extend(all.detections.iter().map(|one| (field, Object::Detection(one))));
            }
            Label::Polyline(one) => objects.push((field, Object::Polyline(one))),
            Label::Polylines(all) => {
                objects.extend(all.polylines.iter().map(|one| (field, Object::Polyline(one))));
            }
            Label::Keypoint(one) => objects.push((field, Object::Keypoint(one))),
            Label::Keypoints(all) => {
                objects.extend(all.keypoints.iter().map(|one| (field, Object::Keypoint(one))));
            }
            other => notes.add(format!(
                "labels of field `{field}` left out: the format has no {}",
                crate::record::label_type(other).unwrap_or("labels of their type")
            )),
        }
    }
    objects
}
