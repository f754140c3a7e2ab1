//! Why an archive cannot be extracted.
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// An archive that is broken or refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The name says no known format.
    #[error("{} is no archive that can be extracted (.zip, .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz, .tar.zst)", path.display())]
    UnknownFormat {
        /// The archive.
        path: PathBuf,
    },
    /// The archive cannot be opened or read.
    #[error("cannot read the archive {}", path.display())]
    Read {
        /// The archive.
        path: PathBuf,
        /// Why not: a disk, or content that is not of the format.
        source: io::Error,
    },
    /// An entry would do harm.
    #[error("the archive {} is refused: its entry `{entry}` {reason}", path.display(), entry = entry.escape_debug())]
    Refused {
        /// The archive.
        path: PathBuf,
        /// The entry's name.
        entry: String,
        /// What it would do.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl ArchiveError {
    /// The same of an archive that was only kept under a name of its own while it was extracted: `origin` is the URL or file
    /// that the user knows it by.
    pub fn of(self, origin: impl Into<PathBuf>) -> Self {
        let path = origin.into();
        match self {
            Self::UnknownFormat { .. } => Self::UnknownFormat { path },
            Self::Read { source, .. } => Self::Read { path, source },
            Self::Refused { entry, reason, .. } => Self::Refused { path, entry, reason },
            Self::Write { path, source } => Self::Write { path, source },
        }
    }

    /// For `map_err`: the archive `path` cannot be read.
    pub(super) fn read(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Read {
            source: about(&path, error),
            path: path.clone(),
        }
    }

    /// For `map_err`: `path` cannot be written.
    pub(super) fn write(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Write {
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for ArchiveError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(match self {
            Self::UnknownFormat { .. } => {
                NextStep::advice("name it after its format: `.zip`, `.tar.gz`, ...")
            }
            Self::Read { .. } => {
                NextStep::advice("it may be damaged or incomplete: get it again, or ask who published it")
            }
            Self::Refused { .. } => {
                NextStep::advice("nothing of it was kept: ask who published it for another one")
            }
            Self::Write { source, .. } => NextStep::for_writing(source),
        })
    }
}
