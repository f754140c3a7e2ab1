//! Why one of FFmpeg's programs could not do its work, whatever it was asked for.

use modelzoo_base::error::NextStep;
use std::{io, time::Duration};

/// Why one of FFmpeg's programs could not do its work; one line that does not name the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FfmpegError {
    /// It is not installed.
    #[error("FFmpeg decodes it, and the program `{program}` is not installed")]
    Missing {
        /// The program that was not found.
        program: &'static str,
    },
    /// It could not be started, or its output not be read.
    #[error("`{program}` cannot be run")]
    Run {
        /// The program.
        program: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It gave no sign of life.
    #[error("`{program}` gave no sign of life for {seconds} seconds and was ended")]
    Silent {
        /// The program.
        program: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
}

#[cfg(target_os = "macos")]
const INSTALL: &str = "install it with: brew install ffmpeg";
#[cfg(windows)]
const INSTALL: &str = "install it with: winget install ffmpeg";
#[cfg(not(any(target_os = "macos", windows)))]
const INSTALL: &str = "install it with: sudo apt-get install ffmpeg";

impl FfmpegError {
    /// What to do about it.
    pub fn next_step(&self) -> Option<NextStep> {
        matches!(self, Self::Missing { .. }).then(|| NextStep::advice(INSTALL))
    }

    /// Of `program`, which was waited for so long.
    pub(crate) fn silent(program: &'static str, limit: Duration) -> Self {
        Self::Silent {
            program,
            seconds: limit.as_secs(),
        }
    }

    /// From an attempt to start `program`.
    pub(crate) fn from_start(program: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { program },
            _ => Self::Run { program, source },
        }
    }
}
