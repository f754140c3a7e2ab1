//! What a model answered, in a line.

use modelzoo::{
    Fields,
    plugin_api::{Output, label::Label},
};
use std::collections::BTreeSet;

/// The kinds of labels in an output, by the field's name.
pub(super) fn outline(output: &Output) -> String {
    let Ok(fields) = Fields::from_output(output.clone(), "label") else {
        return "frames that are not counted from 1".to_owned();
    };
    let describe = |(name, label): (&String, &Label)| format!("{name}: {}", kind(label));
    let mut parts: Vec<String> = fields.sample.iter().map(describe).collect();
    if !fields.frames.is_empty() {
        let kinds: BTreeSet<String> = fields.frames.values().flatten().map(describe).collect();
        let kinds: Vec<String> = kinds.into_iter().collect();
        parts.push(format!(
            "{} frames with {}",
            fields.frames.len(),
            kinds.join(", ")
        ));
    }
    if parts.is_empty() {
        return "nothing".to_owned();
    }
    parts.join(", ")
}

/// A label's type as FiftyOne calls it, with how much there is of it.
fn kind(label: &Label) -> String {
    match label {
        Label::Regression(_) => "Regression".to_owned(),
        Label::Classification(label) => {
            format!("Classification {:?}", label.label.as_deref().unwrap_or_default())
        }
        Label::Classifications(labels) => format!("Classifications ({})", labels.classifications.len()),
        Label::Detection(_) => "Detection".to_owned(),
        Label::Detections(labels) => format!("Detections ({})", labels.detections.len()),
        Label::Polyline(_) => "Polyline".to_owned(),
        Label::Polylines(labels) => format!("Polylines ({})", labels.polylines.len()),
        Label::Keypoint(_) => "Keypoint".to_owned(),
        Label::Keypoints(labels) => format!("Keypoints ({})", labels.keypoints.len()),
        Label::Segmentation(_) => "Segmentation".to_owned(),
        Label::Heatmap(_) => "Heatmap".to_owned(),
        Label::TemporalDetection(_) => "TemporalDetection".to_owned(),
        Label::TemporalDetections(labels) => format!("TemporalDetections ({})", labels.detections.len()),
        Label::GeoLocation(_) => "GeoLocation".to_owned(),
        Label::Vector(_) => "Vector".to_owned(),
        Label::Value(_) => "a value".to_owned(),
        _ => "a label of a newer version".to_owned(),
    }
}
