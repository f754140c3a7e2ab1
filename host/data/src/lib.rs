//! Media decoding, labels as data, datasets, import and export, evaluation.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod boxes;
pub mod dataset;
pub mod draw;
pub mod evaluation;
#[cfg(feature = "video")]
mod ffmpeg;
pub mod format;
pub mod input;
pub mod label;
pub mod media;
pub mod output;
pub mod panics;
pub mod record;
pub mod shard;
pub mod slicing;
pub mod tracking;
#[cfg(feature = "video")]
pub mod video;
