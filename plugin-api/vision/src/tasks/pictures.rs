//! Whole pictures: classes and embeddings.

use crate::{processing::Processing, runner::Runner, settings::Settings};
use modelzoo_candle::{candle_core::Tensor, classifier::Classifier, device};
use modelzoo_plugin_api::{Array, Error, ErrorKind, Image, Model, ModelInfo, Output, PredictOptions, Result};

/// The place of the embedding among a network's outputs.
const EMBEDDING: usize = 0;
/// The place of the logits.
const LOGITS: usize = 1;

/// What to do where a backbone is asked for classes.
const INSTEAD: &str = "use `embed`";

/// So many pictures at once are worth it on a CPU.
const BATCH: usize = 8;

/// A classifier, or a backbone that gives embeddings only.
#[derive(Debug)]
pub(super) struct Pictures {
    processing: Processing,
    runner: Runner,
    classifier: Option<Classifier>,
    judgement: Judgement,
}

/// How many classes a picture has.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Judgement {
    /// The likeliest.
    One,
    /// So many of the likeliest.
    Top(usize),
    /// Each that is at least so likely by itself, and so many at most.
    Each { threshold: f32, count: usize },
}

/// Below this probability a picture has not a class that is judged by itself, unless the user says otherwise.
const THRESHOLD: f32 = 0.5;

impl Pictures {
    /// A classifier of these classes; a backbone without them. `is_each_judged`: whether a picture may have several.
    ///
    /// # Errors
    /// When there are not as many names as logits.
    pub(super) fn new(
        processing: Processing,
        runner: Runner,
        classes: Option<Vec<String>>,
        is_each_judged: bool,
        settings: &Settings,
    ) -> Result<Self> {
        if let (Some(names), Some(dims)) = (&classes, runner.output_dims().get(LOGITS)) {
            let logits: usize = dims.iter().product();
            if names.len() != logits {
                return Err(Error::new(format!(
                    "there are names for {} classes, but the network tells {logits} apart",
                    names.len()
                )));
            }
        }
        if settings.top_k == Some(0) {
            return Err(Error::invalid_option(
                "`top_k` is 0, but at least one class is needed",
            ));
        }
        Ok(Self {
            processing,
            runner,
            classifier: classes.map(Classifier::new),
            judgement: match settings.top_k {
                count if is_each_judged => Judgement::Each {
                    threshold: settings.score_threshold.unwrap_or(THRESHOLD),
                    count: count.unwrap_or(usize::MAX),
                },
                Some(count) => Judgement::Top(count),
                None => Judgement::One,
            },
        })
    }

    /// The values of one of the network's outputs for each picture.
    fn rows(&self, images: &[Image<'_>], output: usize) -> Result<Vec<Result<Vec<f32>>>> {
        let run = |batch: &Tensor| {
            Ok(self.runner.forward(batch)?[output]
                .flatten_from(1)?
                .to_vec2::<f32>()?)
        };
        self.processing.run_batched(images, self.runner.device(), run)
    }

    fn label(&self, classifier: &Classifier, logits: &[f32], options: &PredictOptions) -> Result<Output> {
        match self.judgement {
            Judgement::One => Ok(classifier.label(logits, options)?.into()),
            Judgement::Top(count) => Ok(classifier.labels(logits, count, options)?.into()),
            Judgement::Each { threshold, count } => Ok(classifier
                .independent_labels(logits, threshold, count, options)?
                .into()),
        }
    }
}

impl Model for Pictures {
    fn info(&self) -> ModelInfo {
        let info = ModelInfo::image()
            .with_preferred_batch_size(BATCH)
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision());
        match &self.classifier {
            None => info.with_embeddings_only(INSTEAD),
            Some(classifier) => info
                .with_embeddings()
                .with_classes(classifier.classes())
                .with_logits(),
        }
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let classifier = self.classifier.as_ref().ok_or_else(|| {
            Error::new("this model has no classes, only embeddings")
                .with_kind(ErrorKind::Unsupported)
                .with_hint(INSTEAD)
        })?;
        let rows = self.rows(images, LOGITS)?;
        let label = |logits: Vec<f32>| self.label(classifier, &logits, options);
        Ok(rows.into_iter().map(|logits| logits.and_then(label)).collect())
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        self.embed_all(std::slice::from_ref(image))?.remove(0)
    }

    fn embed_all(&self, images: &[Image<'_>]) -> Result<Vec<Result<Array>>> {
        let rows = self.rows(images, EMBEDDING)?;
        Ok(rows.into_iter().map(|values| values.map(Array::vector)).collect())
    }
}
