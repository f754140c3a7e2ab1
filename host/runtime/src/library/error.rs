//! Why a library cannot be used as a plugin, in one line each.

use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Why a library cannot be used as a plugin. It can be sent from a worker to its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// The file cannot be read.
    #[error("the plugin {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The library.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The content is not what was built.
    #[error("the plugin {} is damaged: its SHA-256 is {actual}, but {expected} was built", path.display())]
    Damaged {
        /// The library.
        path: PathBuf,
        /// What it should be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The system's loader refuses the file.
    #[error("the plugin {} cannot be opened: {reason}", path.display())]
    Refused {
        /// The library.
        path: PathBuf,
        /// The loader's reason.
        reason: String,
    },
    /// A library, but none with the export of a plugin.
    #[error("{} is a library, but no modelzoo plugin: it does not export a model source", path.display())]
    NotAPlugin {
        /// The library.
        path: PathBuf,
    },
    /// A plugin over another version of abi_stable.
    #[error(
        "the plugin {} was built with abi_stable {plugin}, and this host needs {host}",
        path.display()
    )]
    OtherAbiStable {
        /// The library.
        path: PathBuf,
        /// The version family of the plugin.
        plugin: String,
        /// The version family of the host.
        host: String,
    },
    /// A plugin of another major version of the contract.
    #[error(
        "the plugin {} was built for version {plugin} of the plugin contract, and this host knows version {host}",
        path.display()
    )]
    OtherContract {
        /// The library.
        path: PathBuf,
        /// The plugin's version of modelzoo-abi.
        plugin: String,
        /// The host's version of modelzoo-abi.
        host: String,
    },
    /// The types of the contract are not laid out as the host's are.
    #[error(
        "the plugin {} does not fit: its types of the plugin contract differ from those of this host",
        path.display()
    )]
    OtherLayout {
        /// The library.
        path: PathBuf,
    },
    /// The plugin could not make its root module.
    #[error("the plugin {} cannot be initialised: {reason}", path.display())]
    NotInitialised {
        /// The library.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// What a plugin in C exports is not what its contract says.
    #[error("the plugin {} cannot be used: {reason}", path.display())]
    BrokenTable {
        /// The library.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The worker's program has no such plugin built in.
    #[error("the worker has no plugin {name} {version} built in")]
    NotBuiltIn {
        /// The plugin's name.
        name: String,
        /// The version that is needed.
        version: String,
    },
}

impl Diagnose for LibraryError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Damaged { .. } => ErrorClass::Integrity,
            Self::NotAPlugin { .. }
            | Self::OtherAbiStable { .. }
            | Self::OtherContract { .. }
            | Self::OtherLayout { .. }
            | Self::BrokenTable { .. }
            | Self::NotBuiltIn { .. } => ErrorClass::Incompatible,
            Self::Unreadable { .. } | Self::Refused { .. } | Self::NotInitialised { .. } => {
                ErrorClass::Failed
            }
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::advice(match self {
            Self::Unreadable { .. } | Self::Damaged { .. } => {
                "delete the artifact and build the plugin again"
            }
            Self::NotAPlugin { .. } => {
                "a plugin exports its source with `modelzoo_plugin_api::export_source!(MySource);`, or in C as modelzoo.h says"
            }
            Self::BrokenTable { .. } => "fill in the plugin's table as modelzoo.h says",
            Self::OtherAbiStable { .. } | Self::OtherContract { .. } | Self::OtherLayout { .. } => {
                "build the plugin again with the modelzoo-plugin-api of this host, unmodified"
            }
            Self::NotBuiltIn { .. } => "let the worker be a program with the same version of modelzoo",
            Self::Refused { .. } | Self::NotInitialised { .. } => return None,
        }))
    }
}
