//! What can go wrong with the store.
use std::io;
use std::path::PathBuf;

use crate::Sha256Digest;
use crate::atomic::hint_about_writing;

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
    /// What the user can do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoHome | Self::Open { .. } => Some("set MODELZOO_STORE to a folder that can be written to"),
            Self::Write { source, .. } => Some(hint_about_writing(source)),
            Self::Changed { .. } => Some("`modelzoo store verify` finds and removes what was changed"),
            _ => None,
        }
    }
}
