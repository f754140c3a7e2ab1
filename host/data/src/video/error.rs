//! Why a video's frames could not be had.

use crate::ffmpeg::FfmpegError;
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a video could not be read.
#[derive(Debug)]
pub struct VideoError {
    /// The video.
    pub path: PathBuf,
    /// Why.
    pub reason: VideoReason,
}

impl fmt::Display for VideoError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path.display(), self.reason)
    }
}

impl Error for VideoError {
    /// The reason is part of this level's message, so its cause is the next one.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.reason.source()
    }
}

impl Diagnose for VideoError {
    fn class(&self) -> ErrorClass {
        match self.reason {
            VideoReason::NotFound => ErrorClass::NotFound,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match &self.reason {
            VideoReason::Ffmpeg(error) => error.next_step(),
            VideoReason::SizeChanges { .. } => {
                Some(NextStep::advice("take all of them, or convert the video first"))
            }
            _ => None,
        }
    }
}

/// Why a video could not be read; one line that does not name the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoReason {
    /// No file at the path.
    #[error("no such file")]
    NotFound,
    /// Its content cannot be brought to this machine.
    #[error("cannot be read")]
    Io(#[source] io::Error),
    /// A folder, a pipe or a device.
    #[error("this is no regular file, as videos are")]
    NotAFile,
    /// A format that is no video by itself, above all lists of other files.
    #[error(
        "not a video: the content is of the format `{format}` ({}), which is not read",
        describe(format)
    )]
    NotRead {
        /// What FFmpeg calls it.
        format: String,
    },
    /// One of FFmpeg's programs could not do its work.
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
    /// The content is no video that FFmpeg knows.
    #[error("not a video that FFmpeg can read: {message}")]
    Unreadable {
        /// What FFmpeg said.
        message: String,
    },
    /// A file of sound, for example.
    #[error("the file has no video in it")]
    NoVideo,
    /// A frame is larger than the limit on pictures.
    #[error("its frames of {width}x{height} pixels are larger than the limit of {max_pixels} pixels")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit.
        max_pixels: u64,
    },
    /// FFmpeg gave up, or ended within a frame.
    #[error("decoding failed after frame {after_frame}: {message}")]
    Decoding {
        /// The last frame that came; 0 for none.
        after_frame: u64,
        /// What FFmpeg said.
        message: String,
    },
    /// FFmpeg would not write a video.
    #[error("the video cannot be encoded: {message}")]
    Encoding {
        /// What FFmpeg said.
        message: String,
    },
    /// The system would not take a file.
    #[error("cannot be written")]
    Write {
        /// What the system said.
        source: io::Error,
    },
    /// Frames cannot be counted any more.
    #[error(
        "the size of the picture changes after frame {after_frame}, so frames cannot be chosen by number or time"
    )]
    SizeChanges {
        /// The last frame of the first size.
        after_frame: u64,
    },
}

/// What a format is that FFmpeg reads and this program does not.
fn describe(format: &str) -> &'static str {
    match format.split(',').next().unwrap_or_default() {
        "hls" | "dash" | "concat" | "imf" | "webm_dash_manifest" | "rtsp" | "sdp" => {
            "a playlist: it names other files"
        }
        "tty" | "ass" | "srt" | "webvtt" | "sami" | "microdvd" | "subviewer" => "text or subtitles",
        name if name.ends_with("_pipe") || name == "image2" => "a picture",
        _ => "no format of videos",
    }
}

impl VideoReason {
    pub(super) fn from_read(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            _ => Self::Io(error),
        }
    }

    pub(super) fn at(self, path: &Path) -> VideoError {
        VideoError {
            path: path.to_owned(),
            reason: self,
        }
    }
}
