//! What host and worker say to each other.
//!
//! Over the first socket the host asks and the worker answers; over the second one the plugin asks for services and
//! the host answers. On the first, two questions may be under way; on the second, each is answered before the next one.

use crate::{LibraryError, PluginCode, SandboxLayer, SandboxReport};
use modelzoo_base::Sha256Digest;
use modelzoo_plugin_api::{Error, LoadOptions, message::PluginDescription};
use modelzoo_sandbox::Confinement;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Set to the host's process id in a worker.
pub(super) const WORKER_VARIABLE: &str = "MODELZOO_WORKER";

/// The first argument of a worker.
pub(super) const WORKER_ARGUMENT: &str = "__worker";

/// The version of this protocol: host and worker are usually the same program, but a worker program may be named.
pub(super) const PROTOCOL_VERSION: u32 = 6;

/// What a worker says first, on the first socket. The memory in which it marks the items that it is at comes with it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// The worker's [`PROTOCOL_VERSION`].
    pub(super) protocol: u32,
}

/// A question of the host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Question {
    /// Shut yourself in and open this plugin; answered with [`Opened`]. The first question.
    Open {
        /// The plugin.
        code: CodeName,
        /// What the worker may reach from now on.
        confinement: Confinement,
    },
    /// Download a model; answered with nothing.
    Download {
        /// The model's name.
        name: String,
        /// The absolute path to download to.
        path: String,
    },
    /// Load a model, instead of the one that is loaded; answered with its information.
    Load {
        /// The model's name.
        name: String,
        /// The absolute path to load from.
        path: String,
        /// The options.
        options: LoadOptions,
    },
    /// Call a method of the loaded model; answered as the method says.
    Call(MethodCall),
}

/// Which plugin a worker opens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum CodeName {
    /// A library.
    Library {
        /// The artifact's path.
        path: PathBuf,
        /// The artifact's hash.
        sha256: Sha256Digest,
    },
    /// One that the worker's own program has built in.
    BuiltIn {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
}

impl From<&PluginCode> for CodeName {
    fn from(code: &PluginCode) -> Self {
        match code {
            PluginCode::Library(artifact) => Self::Library {
                path: artifact.path.clone(),
                sha256: artifact.sha256,
            },
            PluginCode::BuiltIn(plugin) => Self::BuiltIn {
                name: plugin.name.to_owned(),
                version: plugin.version.to_owned(),
            },
        }
    }
}

/// A method, or a service, and the message to it. Buffers come beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MethodCall {
    /// Its name and version.
    pub(super) method: String,
    /// Its arguments.
    #[serde(with = "serde_bytes")]
    pub(super) message: Vec<u8>,
}

/// What a worker says of the plugin that it opened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opened {
    /// What the plugin was built with.
    pub(super) plugin: PluginDescription,
    /// How the worker is shut in.
    pub(super) sandbox: SandboxReport,
}

/// The answer to a question, or to a service's call. Buffers come beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It worked.
    Done(#[serde(with = "serde_bytes")] Vec<u8>),
    /// The library cannot be used.
    Refused(LibraryError),
    /// Layers of the sandbox that must be had cannot be had: nothing was opened.
    NotShutIn(Vec<SandboxLayer>),
    /// The plugin, or the host's service, gives this error.
    Failed(Error),
}
