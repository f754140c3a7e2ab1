//! What can go wrong with the store.
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The store cannot do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no place for the store.
    #[error("there is no home folder to put the store into")]
    NoHome,
    /// The folder cannot be made.
    #[error("cannot open the store at {}", root.display())]
    Open {
        /// The store's folder.
        root: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something in the store cannot be written.
    #[error("cannot write {} in the store", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something in the store cannot be read.
    #[error("cannot read {} in the store", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The content of an entry is not what its name says.
    #[error("{} was changed: its content has the hash {found}, not {expected}", path.display())]
    Changed {
        /// The entry.
        path: PathBuf,
        /// The hash that names it.
        expected: Sha256Digest,
        /// The hash that its content has.
        found: Sha256Digest,
    },
}

impl StoreError {
    /// For `map_err`: the store in `root` cannot be opened.
    pub(crate) fn open(root: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let root = root.to_owned();
        move |error| Self::Open {
            source: about(&root, error),
            root: root.clone(),
        }
    }

    /// For `map_err`: `path` cannot be written.
    pub(crate) fn write(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Write {
            source: about(&path, error),
            path: path.clone(),
        }
    }

    /// For `map_err`: `path` cannot be read.
    pub(crate) fn read(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Read {
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for StoreError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Changed { .. } => ErrorClass::Integrity,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::NoHome | Self::Open { .. } => Some(NextStep::MoveStore),
            Self::Write { source, .. } => Some(NextStep::for_writing(source)),
            Self::Changed { .. } => Some(NextStep::VerifyStore),
            Self::Read { source, .. } => NextStep::for_access(source),
        }
    }
}
