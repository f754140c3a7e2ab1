//! What a model may be able to do besides predictions for pictures. Each is a trait of its own, and reaches the host
//! as a method of its own: a host that does not know it never asks.

use crate::{Array, Image, Output, PredictOptions, Result, Video};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Set-up before the first call of a run and tear-down after its last: FiftyOne's context manager.
pub trait Session: Send + Sync {
    /// Gets ready for a run.
    ///
    /// # Errors
    /// When the run cannot begin.
    fn setup(&self) -> Result<()>;

    /// Ends a run. It is called once for each successful [`Session::setup`], also after a run that failed.
    ///
    /// # Errors
    /// When something could not be released; the run's results stay.
    fn teardown(&self) -> Result<()>;
}

/// A picture after preprocessing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PreparedImage {
    /// The model's input for it, in the model's own layout.
    pub input: Array,
    /// Columns of the picture it was made from.
    pub width: usize,
    /// Rows of the picture it was made from.
    pub height: usize,
}

impl PreparedImage {
    /// The model's input for a picture of `width` x `height`.
    pub fn new(input: Array, width: usize, height: usize) -> Self {
        Self { input, width, height }
    }
}

/// Preprocessing apart from prediction, so that a host can prepare pictures ahead, or keep them prepared.
pub trait Preprocessing: Send + Sync {
    /// Makes the model's input for `image`.
    ///
    /// # Errors
    /// When this picture cannot be used.
    fn preprocess(&self, image: &Image<'_>) -> Result<PreparedImage>;

    /// Predicts from what [`Preprocessing::preprocess`] made. The result is what `predict_all` gives for the pictures.
    ///
    /// # Errors
    /// As for [`Model::predict_all`](crate::Model::predict_all).
    fn predict_prepared(
        &self,
        images: &[PreparedImage],
        options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>>;
}

/// Embeddings of texts, comparable to those of pictures.
pub trait PromptEmbedding: Send + Sync {
    /// Computes the embedding of each prompt, in their order.
    ///
    /// # Errors
    /// An inner error fails one prompt, an outer error all of them.
    fn embed_prompts(&self, prompts: &[String]) -> Result<Vec<Result<Array>>>;
}

/// The fields of a sample that a model needs, under the names in [`ModelInfo::needed_fields`](crate::ModelInfo). A
/// field that the sample lacks is absent. Labels have FiftyOne's JSON form.
pub type SampleFields = BTreeMap<String, serde_json::Value>;

/// Predictions that need more than the picture: a prompt that stands in a field, boxes to segment.
pub trait SampleModel: Send + Sync {
    /// Says what each of `images` shows, given the fields of its sample.
    ///
    /// # Errors
    /// As for [`Model::predict_all`](crate::Model::predict_all).
    fn predict_samples(
        &self,
        images: &[Image<'_>],
        samples: &[SampleFields],
        options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>>;
}

/// Predictions for whole videos.
pub trait VideoModel: Send + Sync {
    /// Says what `video` shows. The model pulls as many frames as it needs.
    ///
    /// # Errors
    /// When this video cannot be used.
    fn predict_video(&self, video: &mut Video, options: &PredictOptions) -> Result<Output>;
}

/// Embeddings of whole videos: one for each, however many frames it has.
pub trait VideoEmbedding: Send + Sync {
    /// Computes the embedding of `video`, usually a vector. The model pulls as many frames as it needs.
    ///
    /// # Errors
    /// When this video cannot be used.
    fn embed_video(&self, video: &mut Video) -> Result<Array>;
}
