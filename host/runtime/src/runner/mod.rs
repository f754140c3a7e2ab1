//! Running plugins: the same calls and the same results, in this process or in a worker.

mod batch;
mod call;
mod in_process;
mod model;
mod services;
mod table;

pub(crate) use call::{Call, CallFailure};
pub use model::LoadedModel;
pub(crate) use model::Runner;
pub(crate) use services::answer;
pub use services::{DefaultServices, HostServices};
pub(crate) use table::service_table;

use crate::{Artifact, RuntimeError};
use modelzoo_plugin_api::{LoadOptions, message::PluginDescription};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Where a plugin runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// In a process of its own: when it crashes, the inputs that it had at hand are all that is lost.
    #[default]
    Process,
    /// In this process: when it crashes, so does the host.
    None,
}

/// How a plugin is to be run, and the calls of its source.
///
/// See the [crate's page](crate) for an example.
#[derive(Clone)]
pub struct PluginRunner {
    /// The plugin.
    pub artifact: Artifact,
    /// Where it runs.
    pub isolation: Isolation,
    /// What the plugin may ask the host for.
    pub services: Arc<dyn HostServices>,
    /// The program that is started as a worker. It calls `run_worker_if_asked` first in
    /// its `main`. `None` starts the running program again.
    pub worker_program: Option<PathBuf>,
    /// How long a call of a worker may take before the worker is ended and counts as died. `None` waits for ever.
    pub call_timeout: Option<Duration>,
}

impl PluginRunner {
    /// Runs `artifact` in a worker process, with `services` at its disposal.
    pub fn new(artifact: Artifact, services: Arc<dyn HostServices>) -> Self {
        Self {
            artifact,
            services,
            isolation: Isolation::default(),
            worker_program: None,
            call_timeout: None,
        }
    }

    /// Says where the plugin runs.
    pub fn with_isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Names the program that is started as a worker.
    pub fn with_worker_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.worker_program = Some(program.into());
        self
    }

    /// What the plugin was built with.
    ///
    /// # Errors
    /// When the library is no plugin that this host can use, or the worker cannot be started.
    pub fn describe(&self) -> Result<PluginDescription, RuntimeError> {
        match self.isolation {
            Isolation::None => in_process::describe(self),
            Isolation::Process => Err(RuntimeError::IsolationUnsupported),
        }
    }

    /// Asks the plugin to download model `name` to `path`, a file or folder of the host's choice.
    ///
    /// # Errors
    /// As for [`describe`](Self::describe), and when the plugin cannot download the model.
    pub fn download_model(&self, name: &str, path: &Path) -> Result<(), RuntimeError> {
        let path = plugin_path(path)?;
        match self.isolation {
            Isolation::None => in_process::download_model(self, name, &path),
            Isolation::Process => Err(RuntimeError::IsolationUnsupported),
        }
    }

    /// Loads model `name` from its weights at `path`. The host field of `options` is ignored: the plugin gets
    /// [`services`](Self::services).
    ///
    /// # Errors
    /// As for [`describe`](Self::describe), and when the plugin cannot load the model, panics or dies meanwhile.
    pub fn load_model(
        &self,
        name: &str,
        path: &Path,
        options: LoadOptions,
    ) -> Result<Box<dyn LoadedModel>, RuntimeError> {
        let path = plugin_path(path)?;
        match self.isolation {
            Isolation::None => in_process::load_model(self, name, &path, &options),
            Isolation::Process => Err(RuntimeError::IsolationUnsupported),
        }
    }
}

impl fmt::Debug for PluginRunner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PluginRunner")
            .field("artifact", &self.artifact)
            .field("isolation", &self.isolation)
            .field("worker_program", &self.worker_program)
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}

/// A path as plugins take it: absolute, in UTF-8.
fn plugin_path(path: &Path) -> Result<String, RuntimeError> {
    std::path::absolute(path)
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok())
        .ok_or_else(|| RuntimeError::Path(path.to_owned()))
}
