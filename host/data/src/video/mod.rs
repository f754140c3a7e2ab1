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

use std::{
    ffi::OsStr,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempPath;

pub use crate::ffmpeg::FfmpegError;
pub use encode::VideoWriter;
pub use error::{VideoError, VideoReason};
pub use frames::{Ending, Frame, Frames};
pub use sampling::{FrameRange, FrameRangeError, Rate, Sampling};

use crate::record::VideoMetadata;
use frames::FrameFile;

/// A video file.
#[derive(Clone, Debug)]
pub struct Video {
    /// What it is called.
    name: PathBuf,
    /// Its content on this machine, where that is not `name`.
    copy: Option<Arc<TempPath>>,
    metadata: VideoMetadata,
    /// How many frames the header says, where that is exact.
    header_frame_count: Option<u64>,
}

impl Video {
    /// Reads what the file says about itself. What is behind a URL is copied to this machine first, for as long as the
    /// video is used: FFmpeg has no network.
    ///
    /// # Errors
    /// When there is no such file, FFmpeg is not installed or cannot read it, or it holds no video.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, VideoError> {
        let path = path.as_ref();
        if !modelzoo_storage::is_url(path) {
            return Self::probe(path, None);
        }
        let copy = modelzoo_storage::open(path).and_then(|mut content| copy_of(path, &mut content));
        let copy = copy.map_err(|error| VideoReason::from_read(error).at(path))?;
        Self::probe(path, Some(copy))
    }

    /// The same for the content of what is called `name`.
    ///
    /// # Errors
    /// As for [`Video::open`]; also when there is no room for a copy.
    pub fn of_bytes(name: impl AsRef<Path>, mut bytes: &[u8]) -> Result<Self, VideoError> {
        let name = name.as_ref();
        let copy = copy_of(name, &mut bytes).map_err(|error| VideoReason::from_read(error).at(name))?;
        Self::probe(name, Some(copy))
    }

    fn probe(name: &Path, copy: Option<TempPath>) -> Result<Self, VideoError> {
        let path: &Path = copy.as_deref().unwrap_or(name);
        let (metadata, header_frame_count) = probe::probe(path).map_err(|reason| reason.at(name))?;
        Ok(Self {
            name: name.to_owned(),
            copy: copy.map(Arc::new),
            metadata,
            header_frame_count,
        })
    }

    /// What it is called: its path or URL.
    pub fn path(&self) -> &Path {
        &self.name
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
        let path: &Path = match &self.copy {
            Some(copy) => copy,
            None => &self.name,
        };
        let file = FrameFile {
            name: &self.name,
            path,
        };
        Frames::start(file, size, self.header_frame_count, sampling).map_err(|reason| reason.at(&self.name))
    }
}

/// A file with this content, under an ending as `name` has it: FFmpeg looks at that, too.
fn copy_of(name: &Path, content: &mut dyn Read) -> io::Result<TempPath> {
    let ending = PathBuf::from(modelzoo_storage::name_of(name));
    let ending = ending.extension().and_then(OsStr::to_str).unwrap_or_default();
    let mut file = tempfile::Builder::new()
        .prefix("modelzoo-")
        .suffix(&format!(".{ending}"))
        .tempfile()?;
    io::copy(content, &mut file)?;
    Ok(file.into_temp_path())
}
