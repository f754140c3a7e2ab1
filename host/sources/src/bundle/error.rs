//! Why a bundle cannot be made or taken.
use crate::{archive::ArchiveError, source::SourceError, store::StoreError};
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a bundle cannot be made or taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle, or something that goes into one, cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The bundle cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is no bundle", path.display())]
    NotABundle {
        /// The file.
        path: PathBuf,
    },
    /// A later version of this program made it.
    #[error("the bundle {} has the format version {version}, which this version of modelzoo does not know", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        version: u32,
    },
    /// It is not what its index says.
    #[error("the bundle {} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is not the bundle that was asked for.
    #[error("the bundle {} is another one: its SHA-256 is {found} instead of {expected}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: Sha256Digest,
        /// What it is.
        found: Sha256Digest,
    },
    /// What it says must not be, or cannot.
    #[error("the bundle {} is refused: {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It has a crate for a build that the source does not name by its hash.
    #[error("the bundle {} is refused: the Cargo.lock of {source_spelling} does not pin {name}", path.display())]
    Unpinned {
        /// The file.
        path: PathBuf,
        /// The source.
        source_spelling: String,
        /// The crate.
        name: String,
    },
    /// A folder on this machine has no name by which another machine could know it.
    #[error("{} is a folder or file of this machine, which other machines know nothing of", path.display())]
    OfThisMachine {
        /// The folder or file.
        path: PathBuf,
    },
    /// The user stopped it.
    #[error("{} was not finished, because it was stopped", path.display())]
    Cancelled {
        /// The bundle.
        path: PathBuf,
    },
    /// What is in a tree is no source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BundleError {
    /// For `map_err`: `path` cannot be read.
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

    /// For `map_err`: a tree or a crate in the bundle `path` is not what it should be.
    pub(super) fn content(path: &Path) -> impl Fn(ArchiveError) -> Self + use<> {
        let path = path.to_owned();
        move |error| {
            let path = path.clone();
            match error {
                ArchiveError::Refused { entry, reason, .. } => Self::Refused {
                    path,
                    reason: format!("`{}` in it {reason}", entry.escape_debug()),
                },
                ArchiveError::Write { path, source } => Self::Write { path, source },
                ArchiveError::Read { source, .. } => Self::Damaged {
                    path,
                    reason: source.to_string(),
                },
                ArchiveError::UnknownFormat { .. } => Self::NotABundle { path },
            }
        }
    }
}

impl Diagnose for BundleError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Damaged { .. } | Self::Other { .. } | Self::Refused { .. } | Self::Unpinned { .. } => {
                ErrorClass::Integrity
            }
            Self::Source(error) => error.class(),
            Self::Store(error) => error.class(),
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(match self {
            Self::Read { source, .. } => return NextStep::for_access(source),
            Self::Write { source, .. } => NextStep::for_writing(source),
            Self::NotABundle { .. } => NextStep::MakeBundle,
            Self::Newer { .. } => NextStep::UpdateProgram,
            Self::Damaged { .. } => {
                NextStep::advice("nothing of it was kept: copy it once more, or make it anew")
            }
            Self::Other { .. } => {
                NextStep::advice("nothing of it was kept: ask who made it which one is meant")
            }
            Self::Refused { .. } => {
                NextStep::advice("nothing of it was kept: ask who made it for another one")
            }
            Self::Unpinned { .. } => NextStep::VouchForBundle,
            Self::OfThisMachine { .. } => NextStep::advice(
                "copy the folder, if its model needs no plugin; otherwise name its Git repository, `file:///...` among them",
            ),
            Self::Cancelled { .. } => return None,
            Self::Source(error) => return error.next_step(),
            Self::Store(error) => return error.next_step(),
        })
    }
}
