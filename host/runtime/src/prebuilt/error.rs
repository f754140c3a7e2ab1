//! Why a plugin that its author compiled is not taken, although it is the right archive.

use crate::ArtifactError;
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};

/// Why a plugin that its author compiled is not taken, although it is the right archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitPrebuilt {
    /// There is no plugin in the archive.
    #[error("{archive} is no archive of a prebuilt plugin: {reason}")]
    NoPlugin {
        /// The archive's URL.
        archive: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// It is something else than what was asked for: of another target, say.
    #[error("the prebuilt plugin {archive} is for the {what} {found}, and {wanted} is needed")]
    Other {
        /// The archive's URL.
        archive: String,
        /// In what it differs: the target, the variant, the crate, the commit.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// It was compiled for a later plugin contract.
    #[error(
        "the prebuilt plugin {archive} was compiled for version {plugin} of the plugin contract, and this host knows version {host}"
    )]
    OtherContract {
        /// The archive's URL.
        archive: String,
        /// The plugin's version.
        plugin: String,
        /// The host's version.
        host: String,
    },
    /// The library would be loaded with others from a folder that anybody may have filled.
    #[error("the prebuilt plugin {archive} lets the system look for libraries in {folder}")]
    RunPath {
        /// The archive's URL.
        archive: String,
        /// The folder.
        folder: String,
    },
    /// The library is not the one that the archive's own record describes.
    #[error("the library in {archive} is damaged: its SHA-256 is {actual} instead of {expected}")]
    Damaged {
        /// The archive's URL.
        archive: String,
        /// What it should be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// It cannot be kept.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

impl UnfitPrebuilt {
    /// Whether it is right in itself, but not for this host or machine: then the source can be built instead.
    pub fn is_of_elsewhere(&self) -> bool {
        matches!(
            self,
            Self::Other {
                what: "target" | "variant",
                ..
            } | Self::OtherContract { .. }
        )
    }
}

impl Diagnose for UnfitPrebuilt {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NoPlugin { .. } | Self::Damaged { .. } => ErrorClass::Integrity,
            Self::Other { what, .. } if matches!(*what, "crate" | "commit") => ErrorClass::Integrity,
            Self::Other { .. } | Self::OtherContract { .. } | Self::RunPath { .. } => {
                ErrorClass::Incompatible
            }
            Self::Artifact(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Artifact(error) => error.next_step(),
            Self::OtherContract { .. } => Some(NextStep::UpdateProgram),
            _ => Some(NextStep::BuildPlugin),
        }
    }
}
