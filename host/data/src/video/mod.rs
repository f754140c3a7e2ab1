//! Videos, decoded by FFmpeg's programs `ffmpeg` and `ffprobe`: whatever they read can be read.
//!
//! Frames come in the order in which they are shown, each that the file holds exactly once, counted from 1, however
//! their times are spaced; so frame `n` is the same picture for every selection. They are upright: the file's rotation
//! is applied. A decoder runs as a process of its own and hands frames over one at a time, so memory does not grow with
//! the video, and it ends when its [`Frames`] are dropped or this process dies.
//!
//! Files come from strangers: the programs read formats alone that hold a video (no playlists), and can open that one
//! file only.

mod avi;
mod command;
mod encode;
mod error;
mod frames;
mod probe;
mod sampling;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use crate::ffmpeg::FfmpegError;
pub use encode::VideoWriter;
pub use error::{VideoError, VideoReason};
pub use frames::{Ending, Frame, Frames};
pub use sampling::{FrameRange, FrameRangeError, Rate, Sampling};

use crate::record::VideoMetadata;

/// A video file.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    path: PathBuf,
    metadata: VideoMetadata,
    /// How many frames the header says, where that is exact.
    header_frame_count: Option<u64>,
}

impl Video {
    /// Reads what the file says about itself.
    ///
    /// # Errors
    /// When there is no such file, FFmpeg is not installed or cannot read it, or it holds no video.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, VideoError> {
        let path = path.as_ref();
        let (metadata, header_frame_count) = probe::probe(path).map_err(|reason| reason.at(path))?;
        Ok(Self {
            path: path.to_owned(),
            metadata,
            header_frame_count,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its facts. The size is that of the decoded frames.
    pub fn metadata(&self) -> &VideoMetadata {
        &self.metadata
    }

    /// Begins to decode.
    ///
    /// # Errors
    /// When FFmpeg cannot be started. What is wrong with the file shows when frames are taken.
    pub fn frames(&self, sampling: &Sampling) -> Result<Frames, VideoError> {
        let size = (self.metadata.frame_width, self.metadata.frame_height);
        Frames::start(&self.path, size, self.header_frame_count, sampling)
            .map_err(|reason| reason.at(&self.path))
    }
}
