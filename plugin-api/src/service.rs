//! The services of the host: their names, and what is asked of them.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Tells the user something: [`Log`], answered by nothing.
pub const LOG: &str = "log/1";

/// Tells how far a long step is: [`Progress`], answered by nothing.
pub const PROGRESS: &str = "progress/1";

/// Whether the user wants to stop: nothing, answered by a `bool`.
pub const CANCELLED: &str = "cancelled/1";

/// How many threads the plugin may use: nothing, answered by a number, at least 1.
pub const THREADS: &str = "threads/1";

/// A file that the plugin needs: [`DownloadRequest`], answered by the path of the verified file.
pub const DOWNLOAD: &str = "download/1";

/// Which item of the batch is being worked on: its index, or nothing; answered by nothing. When the process ends over it,
/// the host knows which one it was.
pub const ITEM: &str = "item/1";

/// The next frame of a video: [`FrameRequest`], answered by an optional [`FrameHeader`] with a buffer of pixels.
pub const NEXT_FRAME: &str = "next_frame/1";

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be, but works.
    Warn,
    /// What happens.
    Info,
    /// What happens inside.
    Debug,
}

/// A file that a plugin needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DownloadRequest {
    /// Where it can be had; the first that works is taken.
    pub urls: Vec<String>,
    /// The file to write, absolute.
    pub destination: PathBuf,
    /// The SHA-256 of the content, 64 hexadecimal digits. A file without one is trusted on first sight.
    pub sha256: Option<String>,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
}

impl DownloadRequest {
    /// Asks for `url` to be written to `destination`.
    pub fn new(url: impl Into<String>, destination: impl Into<PathBuf>) -> Self {
        Self {
            urls: vec![url.into()],
            destination: destination.into(),
            ..Self::default()
        }
    }

    /// Says what the content's SHA-256 must be, 64 hexadecimal digits.
    pub fn with_sha256(mut self, sha256: impl Into<String>) -> Self {
        self.sha256 = Some(sha256.into());
        self
    }
}

/// The message of [`LOG`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// The message of [`PROGRESS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub step: String,
    /// How much is done, in some unit.
    pub done: u64,
    /// How much there is, in the same unit, where it is known.
    pub total: Option<u64>,
}

/// The message of [`NEXT_FRAME`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrameRequest {
    /// The number under which the host knows the reader.
    pub reader: u64,
}

/// What [`NEXT_FRAME`] says of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrameHeader {
    /// Its number, counted from 1.
    pub number: u64,
    /// When it is shown, in seconds from the start.
    pub time: f64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}
