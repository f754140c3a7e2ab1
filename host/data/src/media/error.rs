//! Why a picture could not be had.

#[cfg(feature = "video")]
use crate::ffmpeg::FfmpegError;
use crate::panics::Panic;
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use modelzoo_storage::{Cause, StorageError};
use std::{
    error::Error,
    fmt, io,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

/// Why bytes could not be turned into a picture. Each message is one line and does not name the file.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No file at the path.
    #[error("no such file")]
    NotFound,
    /// The path is a folder.
    #[error("this is a folder, not a file")]
    IsFolder,
    /// The path is a pipe, a device or the like.
    #[error("this is no regular file, as pictures are")]
    NotAFile,
    /// The operating system would not give the file's content.
    #[error("cannot be read")]
    Io(#[source] io::Error),
    /// A file of zero bytes.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The content is of no picture format.
    #[error("not a picture: the content is {looks_like}")]
    NotAnImage {
        /// What it is instead, as far as can be told.
        looks_like: &'static str,
    },
    /// A picture, but of a kind that is not decoded.
    #[error("{what} are not supported; convert the file to JPEG, PNG or WebP")]
    Unsupported {
        /// The kind, in the plural.
        what: String,
    },
    /// The header claims more pixels than the decoder's limit. Nothing was allocated.
    #[error("{width}x{height} pixels are more than the limit of {max_pixels} pixels")]
    TooLarge {
        /// Claimed width.
        width: u32,
        /// Claimed height.
        height: u32,
        /// The limit that was in force.
        max_pixels: u64,
    },
    /// The data ends before the picture does.
    #[error("the {format} data is truncated: it ends after {size_bytes} bytes, before the picture does")]
    Truncated {
        /// The format's name.
        format: &'static str,
        /// How many bytes there are.
        size_bytes: u64,
    },
    /// The data breaks its format's rules.
    #[error("the {format} data is corrupt: {message}")]
    Corrupt {
        /// The format's name.
        format: &'static str,
        /// What the decoder says, on one line.
        message: String,
    },
    /// The file has fewer pages.
    #[error("there is no page {page} in it, but {pages} alone")]
    NoSuchPage {
        /// The page that was asked for, counted from 1.
        page: NonZeroU32,
        /// How many there are.
        pages: u32,
    },
    /// FFmpeg, which decodes it, could not do its work.
    #[cfg(feature = "video")]
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
    /// The decoder panicked on it.
    #[error(
        "the {format} decoder met a fault of its own ({fault}): please report it with the file; until then, convert \
         the file to JPEG or PNG"
    )]
    Fault {
        /// The format's name.
        format: &'static str,
        /// What it said.
        fault: Panic,
    },
}

impl DecodeError {
    /// A [`DecodeError::Corrupt`] whose message is kept to one line.
    pub(crate) fn corrupt(format: &'static str, message: impl fmt::Display) -> Self {
        let message = message
            .to_string()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Self::Corrupt { format, message }
    }

    /// A [`DecodeError::Unsupported`] of pictures of this kind.
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    /// The error with the file it is about.
    pub(super) fn at(self, path: &Path) -> MediaError {
        MediaError {
            path: path.to_owned(),
            reason: self,
        }
    }
}

impl From<io::Error> for DecodeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::IsADirectory => Self::IsFolder,
            _ => Self::Io(error),
        }
    }
}

/// A [`DecodeError`] with the file it is about.
#[derive(Debug)]
pub struct MediaError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: DecodeError,
}

impl fmt::Display for MediaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path.display(), self.reason)
    }
}

impl Error for MediaError {
    /// The reason is part of this level's message, so its cause is the next one.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.reason.source()
    }
}

impl MediaError {
    /// Whether the credentials for where it lies are no good, so that nothing else from there will be had either.
    pub fn is_about_credentials(&self) -> bool {
        let DecodeError::Io(source) = &self.reason else {
            return false;
        };
        StorageError::of(source).is_some_and(|error| error.cause() == Cause::Credentials)
    }
}

impl Diagnose for MediaError {
    fn class(&self) -> ErrorClass {
        match self.reason {
            DecodeError::NotFound => ErrorClass::NotFound,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match &self.reason {
            #[cfg(feature = "video")]
            DecodeError::Ffmpeg(error) => error.next_step(),
            _ => None,
        }
    }
}
