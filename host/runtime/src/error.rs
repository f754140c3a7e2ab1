//! What can go wrong between the host and its plugins.

use crate::{LibraryError, SandboxLayer};
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use modelzoo_plugin_api::{Error as PluginError, ErrorKind as PluginErrorKind};
use std::{fmt, io, path::PathBuf};

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
    #[error("cannot {action}: {death}")]
    WorkerDied {
        /// What it was asked for.
        action: String,
        /// How it ended.
        death: WorkerDeath,
    },
    /// The worker could not be started.
    #[error("cannot start the worker {}", program.display())]
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

impl Diagnose for RuntimeError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Library(error) => error.class(),
            Self::Plugin { error, .. } if error.kind() == PluginErrorKind::InvalidOption => ErrorClass::Usage,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Library(error) => error.next_step(),
            Self::Plugin { error, .. } => error.hint().map(|hint| NextStep::advice(hint.to_owned())),
            Self::WorkerDied { death, .. } => death.next_step.clone(),
            Self::WorkerStart { .. } => Some(NextStep::advice(
                "a program that embeds modelzoo calls `run_worker_if_asked()` first in its main, or names a worker program",
            )),
            Self::Path(_) => Some(NextStep::RenameFolder),
            Self::IsolationUnsupported => Some(NextStep::RunInProcess),
            Self::SandboxUnavailable(_) => Some(NextStep::RelaxSandbox),
        }
    }
}

/// Why a model has no answer to one of its inputs. Others may work: it is the error of an item, or of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The plugin answered with an error.
    #[error("{0}")]
    Plugin(PluginError),
    /// The worker died of it. The next call gets another one.
    #[error("{0}")]
    WorkerDied(WorkerDeath),
}

impl CallError {
    /// What kind of thing went wrong, as far as the plugin says.
    pub fn kind(&self) -> PluginErrorKind {
        match self {
            Self::Plugin(error) => error.kind(),
            Self::WorkerDied(_) => PluginErrorKind::Other,
        }
    }
}

impl From<PluginError> for CallError {
    fn from(error: PluginError) -> Self {
        Self::Plugin(error)
    }
}

impl Diagnose for CallError {
    fn class(&self) -> ErrorClass {
        match self.kind() {
            PluginErrorKind::InvalidOption => ErrorClass::Usage,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Plugin(error) => error.hint().map(|hint| NextStep::advice(hint.to_owned())),
            Self::WorkerDied(death) => death.next_step.clone(),
        }
    }
}

/// How a worker died, or why it was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerDeath {
    /// Its signal or exit code, and the last lines that it printed.
    pub reason: String,
    /// What the user can do next, where there is something.
    pub next_step: Option<NextStep>,
    /// Whether it was ended after a long wait, which is not worth a second attempt.
    pub is_stall: bool,
}

impl fmt::Display for WorkerDeath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}
