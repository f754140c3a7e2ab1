//! Pictures and texts in one space: embeddings of both, and classes that the user names.

use super::names::{NAME_CLASSES, NamedClasses, Texts, no_texts};
use crate::{architectures::Similarity, processing::Processing, runner::Runner, settings::Settings};
use modelzoo_candle::{
    candle_core::Tensor,
    classifier::{Classifier, sigmoid},
    device,
};
use modelzoo_plugin_api::{
    Array, Error, ErrorKind, Image, Model, ModelInfo, Output, PredictOptions, PromptEmbedding, Result,
    label::{Classification, Classifications},
};
use std::path::Path;

/// Below this probability a picture does not show a class that others do not exclude.
const THRESHOLD: f32 = 0.5;
/// So many pictures at once are worth it on a CPU.
const BATCH: usize = 8;

/// A pair of towers.
#[derive(Debug)]
pub(super) struct ZeroShot {
    processing: Processing,
    runner: Runner,
    texts: Texts,
    classes: Option<Classes>,
}

/// The classes that the user named, and how likely they are.
#[derive(Debug)]
struct Classes {
    classifier: Classifier,
    named: NamedClasses,
    similarity: Similarity,
}

impl ZeroShot {
    /// Towers whose classes, where the user named some, have their embeddings.
    ///
    /// # Errors
    /// When classes are named and the texts of them have no embeddings.
    pub(super) fn new(
        folder: &Path,
        processing: Processing,
        runner: Runner,
        settings: &Settings,
    ) -> Result<Self> {
        let texts = Texts::new(folder);
        let classes = match texts.classes(&runner, settings)? {
            None => None,
            Some(named) => Some(Classes {
                classifier: Classifier::new(named.names.clone()),
                similarity: runner
                    .text()
                    .ok_or_else(no_texts)?
                    .similarity(runner.checkpoint())?,
                named,
            }),
        };
        Ok(Self {
            processing,
            runner,
            texts,
            classes,
        })
    }

    fn embeddings(&self, images: &[Image<'_>]) -> Result<Vec<Result<Vec<f32>>>> {
        let run = |batch: &Tensor| Ok(self.runner.forward(batch)?[0].flatten_from(1)?.to_vec2::<f32>()?);
        self.processing.run_batched(images, self.runner.device(), run)
    }
}

impl Classes {
    fn label(&self, embedding: Vec<f32>, options: &PredictOptions) -> Result<Output> {
        let Similarity {
            scale,
            bias,
            is_exclusive,
        } = self.similarity;
        let cosines = self.named.cosines(embedding);
        let logits: Vec<f32> = cosines.into_iter().map(|cosine| cosine * scale + bias).collect();
        if is_exclusive {
            return Ok(self.classifier.label(&logits, options)?.into());
        }
        // Each class by itself: several may be there, or none.
        let threshold = options
            .confidence_threshold
            .map_or(THRESHOLD, |threshold| threshold as f32);
        let named = self.classifier.classes().iter().zip(&logits);
        let mut labels: Vec<Classification> = named
            .map(|(class, &logit)| (class, sigmoid(logit)))
            .filter(|&(_, probability)| probability >= threshold)
            .map(|(class, probability)| Classification::new(class).with_confidence(probability))
            .collect();
        labels.sort_by(|left, right| {
            right
                .confidence
                .unwrap_or(0.0)
                .total_cmp(&left.confidence.unwrap_or(0.0))
        });
        let labels = Classifications::new(labels);
        Ok(if options.store_logits {
            labels.with_logits(Array::vector(logits)).into()
        } else {
            labels.into()
        })
    }
}

impl Model for ZeroShot {
    fn info(&self) -> ModelInfo {
        let info = ModelInfo::image()
            .with_preferred_batch_size(BATCH)
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision());
        match &self.classes {
            None => info.with_embeddings_only(instead()),
            Some(classes) => info
                .with_embeddings()
                .with_classes(classes.classifier.classes())
                .with_logits(),
        }
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let classes = self.classes.as_ref().ok_or_else(|| {
            Error::new("this model tells any classes apart, but none are named")
                .with_kind(ErrorKind::InvalidOption)
                .with_hint(instead())
        })?;
        let embeddings = self.embeddings(images)?;
        let label = |embedding| classes.label(embedding, options);
        Ok(embeddings
            .into_iter()
            .map(|embedding| embedding.and_then(label))
            .collect())
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        self.embed_all(std::slice::from_ref(image))?.remove(0)
    }

    fn embed_all(&self, images: &[Image<'_>]) -> Result<Vec<Result<Array>>> {
        let embeddings = self.embeddings(images)?;
        Ok(embeddings
            .into_iter()
            .map(|values| values.map(Array::vector))
            .collect())
    }

    fn prompts(&self) -> Option<&dyn PromptEmbedding> {
        self.runner.text().is_some().then_some(self)
    }
}

impl PromptEmbedding for ZeroShot {
    fn embed_prompts(&self, prompts: &[String]) -> Result<Vec<Result<Array>>> {
        Ok(self.texts.embed_all(&self.runner, prompts))
    }
}

/// What to do where no classes are named.
fn instead() -> String {
    format!("{NAME_CLASSES}, or use `embed`")
}
