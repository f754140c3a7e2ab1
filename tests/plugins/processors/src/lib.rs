//! A model whose network is the user: it is told a network's raw outputs, and makes labels of them as any plugin can,
//! with the processors of `modelzoo-candle`. So these can be compared with those of other programs.

use modelzoo_candle::{
    classifier::{Classifier, sigmoid},
    detection::{self, Candidate, Corners, Instance, Masks},
    keypoints::{self, Point},
    segmentation::Segmenter,
};
use modelzoo_plugin_api::{label::Keypoints, prelude::*};
use serde::Deserialize;
use std::path::Path;

/// The names of classes 0, 1 and 2.
const CLASSES: [&str; 3] = ["a", "b", "c"];

#[derive(Default)]
struct Source;

export_source!(Source);

/// What `--set` can change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    outputs: Outputs,
}

/// What a network gave, by the processor that makes labels of it. Boxes are `[left, top, right, bottom]` in pixels.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Outputs {
    Classifier {
        logits: Vec<f32>,
    },
    Detector {
        size: [usize; 2],
        boxes: Vec<Object>,
    },
    /// Masks of `[height, width]`, one after the other.
    InstanceSegmenter {
        size: [usize; 2],
        boxes: Vec<Object>,
        masks: Vec<f32>,
        mask_threshold: f32,
    },
    /// Scores of `[classes, height, width]`.
    SemanticSegmenter {
        shape: [usize; 3],
        scores: Vec<f32>,
        lacks_background: bool,
        softmax: bool,
    },
    Keypoints {
        size: [usize; 2],
        points: Vec<Vec<Joint>>,
    },
    KeypointDetector {
        size: [usize; 2],
        boxes: Vec<Object>,
        points: Vec<Vec<Joint>>,
    },
}

/// A box with its class, and its score where the network gives one.
#[derive(Deserialize)]
struct Object {
    corners: [f32; 4],
    class: usize,
    score: Option<f32>,
}

/// `[x, y, visibility]` in pixels, and a logit.
#[derive(Deserialize)]
struct Joint([f32; 3], f32);

impl ModelSource for Source {
    fn load_model(&self, _name: &str, _path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        Ok(Box::new(options.settings::<Settings>()?))
    }
}

impl Model for Settings {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_classes(CLASSES).with_logits()
    }

    fn predict(&self, _image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        Ok(match &self.outputs {
            Outputs::Classifier { logits } => Classifier::new(CLASSES).label(logits, options)?.into(),
            Outputs::Detector { size, boxes } => {
                let [width, height] = size.map(|length| length as f32);
                let relative = |object: &Object| {
                    let candidate = object.candidate()?;
                    let corners = candidate.corners.relative_to(width, height);
                    Ok(Candidate { corners, ..candidate })
                };
                let candidates: Vec<_> = boxes.iter().map(relative).collect::<Result<_>>()?;
                detection::label(&candidates, &CLASSES, options)?.into()
            }
            Outputs::InstanceSegmenter {
                size: [width, height],
                boxes,
                masks,
                mask_threshold,
            } => {
                let masks = Masks::new(masks, [*height, *width])?.with_threshold(*mask_threshold);
                let instances: Vec<_> = boxes.iter().map(Object::instance).collect();
                detection::label_instances(&instances, &masks, &CLASSES, options)?.into()
            }
            Outputs::SemanticSegmenter {
                shape,
                scores,
                lacks_background,
                softmax,
            } => {
                let mut segmenter = Segmenter::new();
                if *lacks_background {
                    segmenter = segmenter.without_background();
                }
                if *softmax {
                    segmenter = segmenter.with_softmax();
                }
                segmenter.label(scores, *shape, options)?.into()
            }
            Outputs::Keypoints { size, points } => {
                let keypoint = |joints: &Vec<Joint>| keypoints::label(&found(joints), *size, options);
                Keypoints::new(points.iter().map(keypoint).collect()).into()
            }
            Outputs::KeypointDetector { size, boxes, points } => {
                let object =
                    |(object, joints): (&Object, &Vec<Joint>)| Ok((object.candidate()?, found(joints)));
                let objects: Vec<_> = boxes.iter().zip(points).map(object).collect::<Result<_>>()?;
                keypoints::label_objects(&objects, *size, &CLASSES, options)?
            }
        })
    }
}

impl Object {
    fn corners(&self) -> Corners {
        let [left, top, right, bottom] = self.corners;
        Corners::new(left, top, right, bottom)
    }

    fn instance(&self) -> Instance {
        Instance {
            class: self.class,
            score: self.score,
            corners: self.corners(),
        }
    }

    fn candidate(&self) -> Result<Candidate> {
        Ok(Candidate {
            class: self.class,
            score: self.score.context("a detector has scores")?,
            corners: self.corners(),
        })
    }
}

/// Points of a network that tells how visible they are: not at all is 0.
fn found(joints: &[Joint]) -> Vec<Point> {
    let point = |Joint([x, y, visibility], logit): &Joint| Point {
        is_visible: *visibility != 0.0,
        ..Point::new([*x, *y], sigmoid(*logit))
    };
    joints.iter().map(point).collect()
}
