//! Objects with boxes, as DETR and its relatives find them.

use crate::{processing::Processing, runner::Runner, settings::Settings};
use modelzoo_candle::{
    candle_core::Tensor,
    classifier::{sigmoid, softmax},
    detection::{self, Candidate, Corners},
    device,
};
use modelzoo_plugin_api::{Error, Image, Model, ModelInfo, Output, PredictOptions, Result};

/// Below this score an object is none, unless the user says otherwise; transformers' default.
const THRESHOLD: f32 = 0.5;

/// The places of a network's outputs.
const LOGITS: usize = 0;
const BOXES: usize = 1;

/// How the classes of an object are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It has the likeliest one; the last one stands for no object.
    Exclusive,
    /// Each pair of an object and a class is judged by itself; there are as many as objects at most.
    Each,
}

/// A detector.
#[derive(Debug)]
pub(super) struct ObjectDetector {
    processing: Processing,
    runner: Runner,
    classes: Vec<String>,
    judgement: Judgement,
    threshold: f32,
}

impl ObjectDetector {
    /// A detector of these classes.
    pub(super) fn new(
        processing: Processing,
        runner: Runner,
        classes: Vec<String>,
        judgement: Judgement,
        settings: &Settings,
    ) -> Self {
        Self {
            processing,
            runner,
            classes,
            judgement,
            threshold: settings.score_threshold.unwrap_or(THRESHOLD),
        }
    }

    /// The objects in each picture of a batch, in parts of what the network sees: of all, or of what the pictures fill.
    fn detect(
        &self,
        batch: &Tensor,
        filled: Option<[usize; 2]>,
        options: &PredictOptions,
    ) -> Result<Vec<Vec<Candidate>>> {
        let outputs = self.runner.forward_within(batch, filled)?;
        let (logits, boxes) = (
            outputs[LOGITS].to_vec3::<f32>()?,
            outputs[BOXES].to_vec3::<f32>()?,
        );
        logits
            .iter()
            .zip(&boxes)
            .map(|(logits, boxes)| self.candidates(logits, boxes, options))
            .collect()
    }

    /// The objects of a picture of `[height, width]`, in parts of it.
    fn label(&self, mut found: Vec<Candidate>, size: [usize; 2], options: &PredictOptions) -> Result<Output> {
        let frame = self.processing.frame(size);
        if frame != [1.0; 2] {
            for candidate in &mut found {
                let corners = candidate.corners.relative_to(frame[1], frame[0]);
                candidate.corners = corners.clamped_to(1.0, 1.0);
            }
            // What is beside the picture is none of its objects.
            found.retain(|candidate| candidate.corners.area() > 0.0);
        }
        Ok(detection::label(&found, &self.classes, options)?.into())
    }

    /// The objects that are sure enough, the surest first.
    fn candidates(
        &self,
        logits: &[Vec<f32>],
        boxes: &[Vec<f32>],
        options: &PredictOptions,
    ) -> Result<Vec<Candidate>> {
        let threshold = options
            .confidence_threshold
            .map_or(self.threshold, |threshold| threshold as f32);
        let mut found = Vec::new();
        for (logits, corners) in logits.iter().zip(boxes) {
            let &[x, y, width, height] = corners.as_slice() else {
                return Err(Error::new("a box of the network has not four numbers"));
            };
            let corners = Corners::from_center([x, y], [width, height]);
            let sure = self
                .judgement
                .scores(logits)
                .into_iter()
                .filter(|&(_, score)| score >= threshold);
            found.extend(sure.map(|(class, score)| Candidate {
                class,
                score,
                corners,
            }));
        }
        found.sort_by(|left, right| right.score.total_cmp(&left.score));
        found.truncate(logits.len());
        Ok(found)
    }
}

impl Judgement {
    /// The classes that an object may have, and how sure each is.
    fn scores(self, logits: &[f32]) -> Vec<(usize, f32)> {
        match self {
            Self::Exclusive => {
                let probabilities = softmax(logits);
                let classes = probabilities[..probabilities.len() - 1].iter().copied();
                let best = classes
                    .enumerate()
                    .reduce(|best, next| if next.1 > best.1 { next } else { best });
                best.into_iter().collect()
            }
            Self::Each => logits.iter().copied().map(sigmoid).enumerate().collect(),
        }
    }
}

impl Model for ObjectDetector {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(&self.classes)
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let detect = |batch: &Tensor, filled| self.detect(batch, filled, options);
        let found = self.processing.run_masked(images, self.runner.device(), detect)?;
        Ok(images
            .iter()
            .zip(found)
            .map(|(image, found)| self.label(found?, [image.height(), image.width()], options))
            .collect())
    }
}
