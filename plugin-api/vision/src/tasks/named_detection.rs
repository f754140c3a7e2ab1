//! Objects of the classes that the user names, as OWL-ViT finds them.

use super::names::{NAME_CLASSES, NamedClasses, Texts};
use crate::{processing::Processing, runner::Runner, settings::Settings};
use modelzoo_candle::{
    candle_core::Tensor,
    classifier::sigmoid,
    detection::{self, Candidate, Corners},
    device,
};
use modelzoo_plugin_api::{
    Array, Error, Image, Model, ModelInfo, Output, PredictOptions, PromptEmbedding, Result,
};
use std::path::Path;

/// Below this score an object is none, unless the user says otherwise; transformers' default.
const THRESHOLD: f32 = 0.1;

/// The places of a network's outputs.
const EMBEDDINGS: usize = 0;
const SHIFTS: usize = 1;
const SCALES: usize = 2;
const BOXES: usize = 3;

/// A detector of any classes.
#[derive(Debug)]
pub(super) struct NamedDetector {
    processing: Processing,
    runner: Runner,
    texts: Texts,
    classes: NamedClasses,
    threshold: f32,
}

/// What a network says of the objects in one picture.
struct Objects {
    embeddings: Vec<Vec<f32>>,
    shifts: Vec<Vec<f32>>,
    scales: Vec<Vec<f32>>,
    boxes: Vec<Vec<f32>>,
}

impl NamedDetector {
    /// A detector of the classes that the settings name.
    ///
    /// # Errors
    /// When none are named, or have no embeddings.
    pub(super) fn new(
        folder: &Path,
        processing: Processing,
        runner: Runner,
        settings: &Settings,
    ) -> Result<Self> {
        let texts = Texts::new(folder);
        let classes = texts.classes(&runner, settings)?.ok_or_else(|| {
            Error::invalid_option("this model finds whatever is named, but no classes are")
                .with_hint(NAME_CLASSES)
        })?;
        Ok(Self {
            processing,
            runner,
            texts,
            classes,
            threshold: settings.score_threshold.unwrap_or(THRESHOLD),
        })
    }

    /// The objects in each picture of a batch.
    fn detect(&self, batch: &Tensor) -> Result<Vec<Objects>> {
        let outputs = self.runner.forward(batch)?;
        let rows = |place: usize, picture: usize| -> Result<Vec<Vec<f32>>> {
            Ok(outputs[place].get(picture)?.to_vec2()?)
        };
        let objects = |picture| {
            Ok(Objects {
                embeddings: rows(EMBEDDINGS, picture)?,
                shifts: rows(SHIFTS, picture)?,
                scales: rows(SCALES, picture)?,
                boxes: rows(BOXES, picture)?,
            })
        };
        (0..batch.dim(0)?).map(objects).collect()
    }

    /// The objects of a picture of `[height, width]` that are sure enough, the surest first.
    fn label(&self, objects: Objects, size: [usize; 2], options: &PredictOptions) -> Result<Output> {
        let threshold = options
            .confidence_threshold
            .map_or(self.threshold, |threshold| threshold as f32);
        let frame = self.processing.frame(size);
        let mut found = Vec::new();
        for (index, embedding) in objects.embeddings.into_iter().enumerate() {
            let (&[shift], &[scale], &[x, y, width, height]) = (
                objects.shifts[index].as_slice(),
                objects.scales[index].as_slice(),
                objects.boxes[index].as_slice(),
            ) else {
                return Err(Error::new("the network's outputs are not those of objects"));
            };
            let cosines = self.classes.cosines(embedding);
            let logits = cosines
                .into_iter()
                .map(|cosine| (cosine + shift) * (elu(scale) + 1.0));
            let best = logits
                .enumerate()
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            let corners = Corners::from_center([x, y], [width, height])
                .relative_to(frame[1], frame[0])
                .clamped_to(1.0, 1.0);
            if let Some((class, logit)) = best
                && sigmoid(logit) > threshold
                // What is beside the picture, where it was made square, is none of its objects.
                && corners.area() > 0.0
            {
                found.push(Candidate {
                    class,
                    score: sigmoid(logit),
                    corners,
                });
            }
        }
        found.sort_by(|left, right| right.score.total_cmp(&left.score));
        Ok(detection::label(&found, &self.classes.names, options)?.into())
    }
}

/// torch's `ELU`: `x` above 0, `exp(x) - 1` below.
fn elu(x: f32) -> f32 {
    if x > 0.0 { x } else { x.exp_m1() }
}

impl Model for NamedDetector {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(&self.classes.names)
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let found = self
            .processing
            .run_batched(images, self.runner.device(), |batch| self.detect(batch))?;
        Ok(images
            .iter()
            .zip(found)
            .map(|(image, objects)| self.label(objects?, [image.height(), image.width()], options))
            .collect())
    }

    fn prompts(&self) -> Option<&dyn PromptEmbedding> {
        Some(self)
    }
}

impl PromptEmbedding for NamedDetector {
    fn embed_prompts(&self, prompts: &[String]) -> Result<Vec<Result<Array>>> {
        Ok(self.texts.embed_all(&self.runner, prompts))
    }
}
