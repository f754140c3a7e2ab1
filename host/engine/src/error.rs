//! What can go wrong while a model is applied.

use modelzoo_data::{input::InputError, label::FrameNumberError, media::MediaError};
use modelzoo_plugin_api::Error as PluginError;
use modelzoo_runtime::RuntimeError;

/// Why a run ended before its end. What concerns one picture is an [`ItemError`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The plugin cannot be used any longer.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The model lacks what was asked of it.
    #[error("the model {0}")]
    Unsupported(&'static str),
    /// The results could not be handed on.
    #[error("cannot write the results")]
    Sink(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why one picture has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// A folder or a line of a list could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It could not be decoded.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The model failed on it.
    #[error("{0}")]
    Model(PluginError),
    /// The model labels a frame that cannot be.
    #[error(transparent)]
    FrameNumber(#[from] FrameNumberError),
    /// The model labels frames of a picture, which has none.
    #[error("the model labels frames, but this is a picture and not a video")]
    FramesOfPicture,
}
