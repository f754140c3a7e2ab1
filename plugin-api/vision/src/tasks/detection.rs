//! Objects with boxes, as DETR and its relatives find them.

use crate::{processing::Processing, runner::Runner, settings::Settings};
use modelzoo_candle::{
    candle_core::Tensor,
    classifier::softmax,
    detection::{self, Candidate, Corners},
    device,
};
use modelzoo_plugin_api::{Error, Image, Model, ModelInfo, Output, PredictOptions, Result};

/// Below this score an object is none, unless the user says otherwise; transformers' default.
const THRESHOLD: f32 = 0.5;

/// The places of a network's outputs.
const LOGITS: usize = 0;
const BOXES: usize = 1;

/// A detector.
#[derive(Debug)]
pub(super) struct Detector {
    processing: Processing,
    runner: Runner,
    classes: Vec<String>,
    threshold: f32,
}

impl Detector {
    /// A detector of these classes.
    pub(super) fn new(
        processing: Processing,
        runner: Runner,
        classes: Vec<String>,
        settings: &Settings,
    ) -> Self {
        Self {
            processing,
            runner,
            classes,
            threshold: settings.score_threshold.unwrap_or(THRESHOLD),
        }
    }

    /// The objects in each picture of a batch.
    fn detect(&self, batch: &Tensor, options: &PredictOptions) -> Result<Vec<Output>> {
        let outputs = self.runner.forward(batch)?;
        let (logits, boxes) = (
            outputs[LOGITS].to_vec3::<f32>()?,
            outputs[BOXES].to_vec3::<f32>()?,
        );
        logits
            .iter()
            .zip(&boxes)
            .map(|(logits, boxes)| {
                let found = self.candidates(logits, boxes, options)?;
                Ok(detection::label(&found, &self.classes, options)?.into())
            })
            .collect()
    }

    /// The objects that are likelier something than nothing, with the likeliest class of each.
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
            // The last one stands for no object.
            let probabilities = softmax(logits);
            let classes = &probabilities[..probabilities.len() - 1];
            let best = classes
                .iter()
                .enumerate()
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            if let Some((class, &score)) = best
                && score >= threshold
            {
                found.push(Candidate {
                    class,
                    score,
                    corners: Corners::from_center([x, y], [width, height]),
                });
            }
        }
        found.sort_by(|left, right| right.score.total_cmp(&left.score));
        Ok(found)
    }
}

impl Model for Detector {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(&self.classes)
            .on_device(device::name(self.runner.device()))
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let detect = |batch: &Tensor| self.detect(batch, options);
        self.processing
            .preprocessing
            .run_batched(images, self.runner.device(), detect)
    }
}
