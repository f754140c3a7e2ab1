//! The messages of optional capabilities.

use super::ImageRef;
use crate::{PredictOptions, PreparedImage, SampleFields, VideoInfo};
use serde::{Deserialize, Serialize};

/// The message of [`PREDICT_PREPARED`](super::PREDICT_PREPARED).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PreparedArguments {
    /// The preprocessed images; their numbers are buffers beside the message.
    pub images: Vec<PreparedImage>,
    /// What the user asked for.
    pub options: PredictOptions,
}

/// The message of [`EMBED_PROMPTS`](super::EMBED_PROMPTS).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptArguments {
    /// The texts.
    pub prompts: Vec<String>,
}

/// The message of [`PREDICT_SAMPLES`](super::PREDICT_SAMPLES).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleArguments {
    /// The images; their pixels are the buffers beside the message.
    pub images: Vec<ImageRef>,
    /// The fields of each image's sample.
    pub samples: Vec<SampleFields>,
    /// What the user asked for.
    pub options: PredictOptions,
}

/// The message of [`PREDICT_VIDEO`](super::PREDICT_VIDEO) and [`EMBED_VIDEO`](super::EMBED_VIDEO).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VideoArguments {
    /// What is known of the video.
    pub info: VideoInfo,
    /// The number under which the host knows its reader.
    pub reader: u64,
    /// What the user asked of a prediction.
    pub options: PredictOptions,
}
