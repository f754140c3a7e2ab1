//! What crosses between host and plugin: MessagePack maps with field names, bulk numbers beside them.
//!
//! Both sides use these functions, the host's workers too; authors of plugins need none of them. Unknown fields are
//! ignored and missing ones take their default, so both sides may be of different versions.

mod batch;
mod capability;
mod description;
mod methods;

pub use crate::{
    codec::{decode, encode, encode_error, result},
    service::{
        CANCELLED, DOWNLOAD, FrameHeader, FrameRequest, ITEM, LOG, Log, NEXT_FRAME, PROGRESS, Progress,
        THREADS,
    },
};
pub use batch::{
    ImageRef, Outcome, PredictArguments, decode_embeddings, decode_images, decode_outputs, decode_prepared,
    encode_embeddings, encode_outputs, encode_prepared,
};
pub use capability::{PreparedArguments, PromptArguments, SampleArguments, VideoArguments};
pub use description::PluginDescription;
pub use methods::{
    CALIBRATE, EMBED, EMBED_PROMPTS, EMBED_VIDEO, PREDICT, PREDICT_PREPARED, PREDICT_SAMPLES, PREDICT_VIDEO,
    PREPROCESS, SETUP, TEARDOWN,
};

#[cfg(test)]
mod contract_tests;
