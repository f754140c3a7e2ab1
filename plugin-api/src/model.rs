//! The interface of a model.

use crate::{Array, Error, Image, Output, Result};
use serde::{Deserialize, Serialize};

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
        Ok(images.iter().map(|image| self.predict(image, options)).collect())
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
        Ok(images.iter().map(|image| self.embed(image)).collect())
    }
}

/// What a model takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MediaType {
    /// Single pictures.
    #[default]
    Image,
    /// Whole videos.
    Video,
}

/// What a model is and can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ModelInfo {
    /// What it takes.
    pub media_type: MediaType,
    /// The classes it tells apart, by index.
    pub classes: Vec<String>,
    /// The names of the points it finds, in order; empty for models that find none.
    pub keypoints: Vec<String>,
    /// The lines between points that make a skeleton, as pairs of indices into `keypoints`.
    pub skeleton: Vec<[usize; 2]>,
    /// Whether `embed` works.
    pub has_embeddings: bool,
    /// Whether `store_logits` works.
    pub has_logits: bool,
    /// The batch size at which it is fastest, where it has one.
    pub preferred_batch_size: Option<usize>,
    /// Where it runs: `cpu`, `cuda:0`, ...
    pub device: Option<String>,
    /// The methods that it knows, with their versions; filled in by the export macro.
    pub methods: Vec<String>,
}

impl ModelInfo {
    /// A model of pictures, without anything optional.
    pub fn image() -> Self {
        Self::default()
    }

    /// Names the classes, by index.
    pub fn with_classes<S: Into<String>>(mut self, classes: impl IntoIterator<Item = S>) -> Self {
        self.classes = classes.into_iter().map(Into::into).collect();
        self
    }

    /// Names the points that the model finds and the lines between them.
    pub fn with_keypoints<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
        skeleton: impl Into<Vec<[usize; 2]>>,
    ) -> Self {
        self.keypoints = names.into_iter().map(Into::into).collect();
        self.skeleton = skeleton.into();
        self
    }

    /// Says that `embed` works.
    pub fn with_embeddings(mut self) -> Self {
        self.has_embeddings = true;
        self
    }

    /// Says that the model can store logits.
    pub fn with_logits(mut self) -> Self {
        self.has_logits = true;
        self
    }

    /// Says at which batch size the model is fastest.
    pub fn with_preferred_batch_size(mut self, size: usize) -> Self {
        self.preferred_batch_size = Some(size);
        self
    }

    /// Says where the model runs.
    pub fn on_device(mut self, device: impl Into<String>) -> Self {
        self.device = Some(device.into());
        self
    }
}

/// What the user asked of a prediction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PredictOptions {
    /// Leave out what the model is less sure of. `None` leaves it to the model. The host applies it to every output
    /// as well, so a model need not; one that can save work by it should.
    pub confidence_threshold: Option<f64>,
    /// Keep only these classes. The host applies it as well.
    pub classes: Option<Vec<String>>,
    /// Put the raw scores of all classes into classifications.
    pub store_logits: bool,
}
