//! Labels of every type onto a picture.

use super::{
    boxes::{self, name_and_score},
    canvas::Canvas,
    caption::Caption,
    maps, points,
    tags::Tags,
};
use crate::media::RgbImage;
use modelzoo_plugin_api::label::{Classification, Label};
use std::collections::BTreeMap;

/// How many of several classifications the caption shows.
const NAMED_CLASSIFICATIONS: usize = 5;

/// Draws labels on pictures.
#[derive(Clone, Debug, Default)]
pub struct Annotator {
    skeleton: Vec<[usize; 2]>,
    classes: Vec<String>,
}

impl Annotator {
    /// An annotator that knows nothing of the model.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which keypoints are joined by lines, as pairs of indices. Without this, 17 points are taken for COCO's person.
    pub fn with_skeleton(mut self, skeleton: impl Into<Vec<[usize; 2]>>) -> Self {
        self.skeleton = skeleton.into();
        self
    }

    /// The names of a segmentation's values, by value.
    pub fn with_classes(mut self, classes: impl Into<Vec<String>>) -> Self {
        self.classes = classes.into();
        self
    }

    /// A copy of the picture with the labels on it, each under its field's name. Tiny pictures are enlarged by a whole
    /// number so that text has room. What has no place in a picture (embeddings, events, coordinates) is left out.
    pub fn draw(&self, image: &RgbImage, labels: &BTreeMap<String, Label>) -> RgbImage {
        let Some(mut canvas) = Canvas::new(image) else {
            return image.clone();
        };
        let (mut tags, mut caption) = (Tags::default(), Caption::default());
        for label in labels.values() {
            self.draw_map(&mut canvas, &mut caption, label);
        }
        for (name, label) in labels {
            self.draw_objects(&mut canvas, &mut tags, label);
            let mut said = said_of_the_whole(label);
            if labels.len() > 1
                && let Some(first) = said.first_mut()
            {
                *first = format!("{name}: {first}");
            }
            said.into_iter().for_each(|text| caption.add(text, None));
        }
        tags.draw(&mut canvas);
        caption.draw(&mut canvas);
        canvas.into_image()
    }

    fn draw_map(&self, canvas: &mut Canvas, caption: &mut Caption, label: &Label) {
        match label {
            Label::Segmentation(segmentation) => {
                maps::draw_segmentation(canvas, caption, segmentation, &self.classes);
            }
            Label::Heatmap(heatmap) => maps::draw_heatmap(canvas, heatmap),
            _ => {}
        }
    }

    fn draw_objects(&self, canvas: &mut Canvas, tags: &mut Tags, label: &Label) {
        match label {
            Label::Detection(detection) => boxes::draw(canvas, tags, std::slice::from_ref(detection)),
            Label::Detections(all) => boxes::draw(canvas, tags, &all.detections),
            Label::Polyline(polyline) => points::draw_polylines(canvas, tags, std::slice::from_ref(polyline)),
            Label::Polylines(all) => points::draw_polylines(canvas, tags, &all.polylines),
            Label::Keypoint(one) => {
                points::draw_keypoints(canvas, tags, std::slice::from_ref(one), &self.skeleton)
            }
            Label::Keypoints(all) => points::draw_keypoints(canvas, tags, &all.keypoints, &self.skeleton),
            _ => {}
        }
    }
}

/// What a label says about the picture as a whole, for the caption.
fn said_of_the_whole(label: &Label) -> Vec<String> {
    let class = |one: &Classification| name_and_score(one.label.as_deref(), one.confidence);
    match label {
        Label::Classification(one) => vec![class(one)],
        Label::Classifications(all) => all
            .classifications
            .iter()
            .take(NAMED_CLASSIFICATIONS)
            .map(class)
            .collect(),
        Label::Regression(number) => number.value.iter().map(|value| format!("{value:.4}")).collect(),
        Label::Value(plain) => match &plain.value {
            serde_json::Value::String(text) => vec![text.clone()],
            value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => vec![value.to_string()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
