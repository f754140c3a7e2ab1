//! What crosses between host and plugin: MessagePack maps with field names, bulk numbers beside them.
//!
//! Both sides use these functions, the host's workers too; authors of plugins need none of them. Unknown fields are
//! ignored and missing ones take their default, so both sides may be of different versions.

mod batch;
mod capability;
mod description;

pub use batch::{
    ImageRef, Outcome, PredictArguments, decode_embeddings, decode_images, decode_outputs, decode_prepared,
    encode_embeddings, encode_outputs, encode_prepared,
};
pub use capability::{
    FrameHeader, FrameRequest, PreparedArguments, PromptArguments, SampleArguments, VideoArguments,
};
pub use description::{Log, PluginDescription, Progress};

use crate::{Error, ErrorKind, Result};
use modelzoo_abi::{AbiResult, abi_stable::std_types::RVec};
use serde::{Serialize, de::DeserializeOwned};

/// Predictions for a batch of images: [`PredictArguments`] with a buffer of pixels for each image, answered by
/// outcomes of [`Output`](crate::Output).
pub const PREDICT: &str = "predict/1";

/// Embeddings for a batch of images: [`PredictArguments`], answered by outcomes of [`Array`](crate::Array).
pub const EMBED: &str = "embed/1";

/// Gets ready for a run: nothing, answered by nothing.
pub const SETUP: &str = "setup/1";

/// Ends a run: nothing, answered by nothing.
pub const TEARDOWN: &str = "teardown/1";

/// Preprocessing of a batch of images: [`PredictArguments`], answered by outcomes of
/// [`PreparedImage`](crate::PreparedImage).
pub const PREPROCESS: &str = "preprocess/1";

/// Predictions for preprocessed images: [`PreparedArguments`], answered as [`PREDICT`].
pub const PREDICT_PREPARED: &str = "predict_prepared/1";

/// Embeddings of texts: [`PromptArguments`], answered as [`EMBED`].
pub const EMBED_PROMPTS: &str = "embed_prompts/1";

/// Predictions for images with fields of their samples: [`SampleArguments`], answered as [`PREDICT`].
pub const PREDICT_SAMPLES: &str = "predict_samples/1";

/// Predictions for one video: [`VideoArguments`], answered as [`PREDICT`] with one outcome.
pub const PREDICT_VIDEO: &str = "predict_video/1";

/// The embedding of one video: [`VideoArguments`], answered as [`EMBED`] with one outcome.
pub const EMBED_VIDEO: &str = "embed_video/1";

/// A host service: the next frame of a video. [`FrameRequest`], answered by an optional [`FrameHeader`] with a
/// buffer of pixels.
pub const NEXT_FRAME: &str = "next_frame/1";

/// Encodes a message as a MessagePack map with field names.
///
/// # Errors
/// When the value cannot be written as MessagePack.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value)
        .map_err(|error| Error::new(format!("a message cannot be written: {error}")))
}

/// Decodes a message.
///
/// # Errors
/// When the bytes are no such message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|error| Error::new(format!("a message cannot be read: {error}")))
}

/// Turns the result of an ABI call into an ordinary one.
///
/// # Errors
/// The error that the other side sent.
pub fn result<T>(result: AbiResult<T>) -> Result<T> {
    result
        .into_result()
        .map_err(|bytes| decode(&bytes).unwrap_or_else(|error| error.with_kind(ErrorKind::Other)))
}

/// Encodes an error for the other side.
pub fn encode_error(error: &Error) -> RVec<u8> {
    // An error is text and an enumeration: there is nothing in it that MessagePack cannot hold. Should it fail all
    // the same, the other side reads an empty message as an error of its own.
    encode(error).unwrap_or_default().into()
}
