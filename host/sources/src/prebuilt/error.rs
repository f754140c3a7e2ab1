//! Why a prebuilt plugin cannot be had.
use crate::{archive::ArchiveError, download::DownloadError, store::StoreError};
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use std::io;

/// Why a prebuilt plugin cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrebuiltError {
    /// The source offers none that could be taken here.
    #[error("{identity} offers no prebuilt plugin for {target}{}", and_others(.others))]
    NotOffered {
        /// The source.
        identity: String,
        /// What is needed: a target triple and a variant.
        target: String,
        /// What it has instead.
        others: Vec<String>,
    },
    /// What is named as the key by which archives are signed is none.
    #[error("the manifest's key for {archive} is no minisign public key (`{}`): {problem}", key.escape_debug())]
    BadKey {
        /// What the archive is called.
        archive: String,
        /// What is named.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The archive does not bear the signature that it must.
    #[error("the signature of the prebuilt plugin {archive} is not valid: {problem}")]
    Signature {
        /// The archive's URL.
        archive: String,
        /// What the verification says.
        problem: String,
    },
    /// The archive or its signature did not come.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// It is no archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was downloaded cannot be read.
    #[error("cannot read what was downloaded from {url}")]
    Read {
        /// The URL.
        url: String,
        /// Why not.
        source: io::Error,
    },
}

fn and_others(others: &[String]) -> String {
    match others {
        [] => ": its manifest has neither its hash nor a key (`artifacts`)".to_owned(),
        _ => format!("; it has {}", others.join(", ")),
    }
}

impl PrebuiltError {
    /// Whether there is none, or none can be reached: then the source can be built instead.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::NotOffered { .. } => true,
            Self::Download(DownloadError::Cancelled { .. } | DownloadError::DiskFull { .. }) => false,
            Self::Download(error) => error.class() != ErrorClass::Integrity,
            _ => false,
        }
    }
}

impl Diagnose for PrebuiltError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NotOffered { .. } => ErrorClass::Incompatible,
            Self::Signature { .. } => ErrorClass::Integrity,
            Self::Download(error) => error.class(),
            // It was what was asked for, and is none.
            Self::Archive(_) => ErrorClass::Integrity,
            Self::Store(error) => error.class(),
            Self::BadKey { .. } | Self::Read { .. } => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::NotOffered { .. } | Self::BadKey { .. } | Self::Signature { .. } | Self::Archive(_) => {
                Some(NextStep::BuildPlugin)
            }
            Self::Download(error) if error.class() == ErrorClass::Integrity => Some(NextStep::BuildPlugin),
            Self::Download(error) => error.next_step(),
            Self::Store(error) => error.next_step(),
            Self::Read { source, .. } => NextStep::for_access(source),
        }
    }
}
