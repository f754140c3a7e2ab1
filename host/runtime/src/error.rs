//! What can go wrong between the host and its plugins.

use crate::{LibraryError, SandboxLayer};
use modelzoo_plugin_api::Error as PluginError;
use std::{io, path::PathBuf};

/// Why a plugin could not be used at all. What concerns one input is not among it: that is an error of the item.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The library is not one that can be used.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The plugin answered with an error.
    #[error("cannot {action}: {error}")]
    Plugin {
        /// What it was asked for.
        action: String,
        /// What it answered.
        error: PluginError,
    },
    /// The worker died, and starting it again did not help.
    #[error("cannot {action}: {reason}")]
    WorkerDied {
        /// What it was asked for.
        action: String,
        /// How it ended: its signal or exit code, and the last lines that it printed.
        reason: String,
        /// What the user can do next, where there is something.
        hint: Option<&'static str>,
    },
    /// The worker could not be started.
    #[error("cannot start the worker {}: {source}", program.display())]
    WorkerStart {
        /// The program that was to be started.
        program: PathBuf,
        /// Why it could not.
        source: io::Error,
    },
    /// A path that a plugin cannot be given.
    #[error("{} cannot be passed to a plugin: its path is not UTF-8", .0.display())]
    Path(PathBuf),
    /// The plugin was to be shut in completely, and cannot be.
    #[error("the plugin cannot be shut in as was asked for: this system has no limits of {}",
        .0.iter().map(|layer| layer.name()).collect::<Vec<_>>().join(", "))]
    SandboxUnavailable(Vec<SandboxLayer>),
    /// Worker processes do not exist on this system.
    #[error("plugins cannot run in worker processes on this system")]
    IsolationUnsupported,
}

impl RuntimeError {
    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Library(error) => error.hint(),
            Self::Plugin { error, .. } => error.hint(),
            Self::WorkerStart { .. } => Some(
                "a program that embeds modelzoo calls `run_worker_if_asked()` first in its main, or names a worker program",
            ),
            Self::IsolationUnsupported => Some("--isolation none runs the plugin in this process"),
            Self::SandboxUnavailable(_) => Some("--sandbox auto uses what this system has"),
            Self::WorkerDied { hint, .. } => *hint,
            Self::Path(_) => Some(
                "rename the folder; where it is one of modelzoo's own, MODELZOO_STORE puts the store elsewhere",
            ),
        }
    }
}
