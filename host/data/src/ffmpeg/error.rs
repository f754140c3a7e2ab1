//! Why one of FFmpeg's programs could not do its work, whatever it was asked for.

use modelzoo_base::error::NextStep;
use modelzoo_sandbox::SandboxLayer;
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
    /// It must be shut in, and cannot be.
    #[error("`{program}` cannot be shut in here{}", because_of(missing))]
    NotShutIn {
        /// The program.
        program: &'static str,
        /// The layers that this system does not have; none where they are there, but the program does not run in them, or
        /// nothing can start it in them.
        missing: Vec<SandboxLayer>,
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

fn because_of(missing: &[SandboxLayer]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = missing.iter().map(|layer| layer.name()).collect();
    format!(": this system has no limits of {}", names.join(", "))
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
        match self {
            Self::Missing { .. } => Some(NextStep::advice(INSTALL)),
            Self::NotShutIn { .. } => Some(NextStep::RelaxSandbox),
            Self::Run { .. } | Self::Silent { .. } => None,
        }
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
