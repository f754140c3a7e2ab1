//! Why a plugin cannot be kept.

use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::{OutputError, about},
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// A file or folder of a plugin that is ready to be opened cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct ArtifactError {
    /// What was tried.
    pub action: &'static str,
    /// With which file or folder.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

impl ArtifactError {
    /// For `map_err`: a result could not be written.
    pub(crate) fn output(OutputError { path, source }: OutputError) -> Self {
        Self {
            action: "write",
            path,
            source,
        }
    }

    /// For `map_err`: `action` failed on `path`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self {
            action,
            source: about(&path, source),
            path,
        }
    }
}

impl Diagnose for ArtifactError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        NextStep::for_access(&self.source)
    }
}
