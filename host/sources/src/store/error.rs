//! What can go wrong with the store.
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose, ErrorClass, NextStep},
};
use std::{io, path::PathBuf};

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
            Self::Read { .. } => None,
        }
    }
}
