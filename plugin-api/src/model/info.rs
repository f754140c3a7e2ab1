//! What a model says of itself.

use crate::Precision;
use serde::{Deserialize, Serialize};

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
    /// Whether it computes embeddings: of pictures, or of whole videos where it takes these. The export macro says so
    /// of a model that has [`Model::video_embeddings`](crate::Model::video_embeddings).
    pub has_embeddings: bool,
    /// For a model that makes embeddings and predicts nothing: what to do instead of asking it, in words for its users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of_predictions: Option<String>,
    /// Whether `store_logits` works.
    pub has_logits: bool,
    /// The batch size at which it is fastest, where it has one.
    pub preferred_batch_size: Option<usize>,
    /// Where it runs: `cpu`, `cuda:0`, ...
    pub device: Option<String>,
    /// What it computes with, where it is not `f32`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// The fields of a sample that it needs, by the names that it knows them under; see
    /// [`SampleModel`](crate::SampleModel).
    pub needed_fields: Vec<String>,
    /// The methods that it knows, with their versions; filled in by the export macro.
    pub methods: Vec<String>,
}

impl ModelInfo {
    /// A model of pictures, without anything optional.
    pub fn image() -> Self {
        Self::default()
    }

    /// A model of whole videos, without anything optional.
    pub fn video() -> Self {
        Self {
            media_type: MediaType::Video,
            ..Self::default()
        }
    }

    /// Whether the model knows a method, such as [`crate::message::EMBED`].
    pub fn knows(&self, method: &str) -> bool {
        self.methods.iter().any(|known| known == method)
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

    /// Says that `embed` works, and nothing else; `instead` tells people what to do when they want predictions.
    pub fn with_embeddings_only(mut self, instead: impl Into<String>) -> Self {
        self.instead_of_predictions = Some(instead.into());
        self.with_embeddings()
    }

    /// Says that the model can store logits.
    pub fn with_logits(mut self) -> Self {
        self.has_logits = true;
        self
    }

    /// Names the fields of a sample that the model needs.
    pub fn with_needed_fields<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.needed_fields = names.into_iter().map(Into::into).collect();
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

    /// Says what the model computes with.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = (precision != Precision::F32).then_some(precision);
        self
    }
}
