//! The interface of a model.

mod capability;
mod info;
mod options;

pub use capability::{
    PreparedImage, Preprocessing, PromptEmbedding, SampleFields, SampleModel, Session, VideoEmbedding,
    VideoModel,
};
pub use info::{MediaType, ModelInfo};
pub use options::PredictOptions;

use crate::{Array, Error, Image, Output, Result, items::one_by_one};

/// A loaded model: FiftyOne's `Model` interface.
///
/// Only [`Model::info`] and [`Model::predict`] must be written. The methods may be called from several threads at
/// once; a model with changing state keeps it behind a lock. A panic is caught and becomes an error of the call.
pub trait Model: Send + Sync {
    /// What the model is and can do. It does not change while the model is loaded.
    fn info(&self) -> ModelInfo;

    /// Says what `image` shows.
    ///
    /// # Errors
    /// When this picture cannot be used; the others of its batch are done all the same.
    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output>;

    /// Says what each of `images` shows, in their order; the pictures may differ in size. Worth writing where a
    /// batch is faster than its pictures one by one.
    ///
    /// # Errors
    /// An inner error fails one picture. An outer error fails the call: the host then asks for each picture alone.
    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        Ok(one_by_one(images, |image| self.predict(image, options)))
    }

    /// Computes the embedding of `image`, usually a vector. Models that can also set
    /// [`ModelInfo::with_embeddings`].
    ///
    /// # Errors
    /// When the model has no embeddings, or this picture cannot be used.
    fn embed(&self, _image: &Image<'_>) -> Result<Array> {
        Err(Error::unsupported("this model has no embeddings"))
    }

    /// Computes the embeddings of `images`, in their order.
    ///
    /// # Errors
    /// As for [`Model::predict_all`].
    fn embed_all(&self, images: &[Image<'_>]) -> Result<Vec<Result<Array>>> {
        Ok(one_by_one(images, |image| self.embed(image)))
    }

    /// The model's set-up and tear-down, where it has such.
    fn session(&self) -> Option<&dyn Session> {
        None
    }

    /// The model's preprocessing as a step of its own, where it has one.
    fn preprocessing(&self) -> Option<&dyn Preprocessing> {
        None
    }

    /// The model's embeddings of texts, where it has such.
    fn prompts(&self) -> Option<&dyn PromptEmbedding> {
        None
    }

    /// Predictions that need fields of the sample, where the model makes such.
    fn samples(&self) -> Option<&dyn SampleModel> {
        None
    }

    /// Predictions for whole videos. A model that makes such says [`ModelInfo::video`].
    fn videos(&self) -> Option<&dyn VideoModel> {
        None
    }

    /// Embeddings of whole videos, where the model computes such. It says [`ModelInfo::video`].
    fn video_embeddings(&self) -> Option<&dyn VideoEmbedding> {
        None
    }
}
