//! How a plugin is run: the choice between this process and a worker, and the calls of a source.

use crate::{
    HostServices, LoadedModel, PluginCode, RuntimeError, Sandbox,
    runner::{PluginServices, in_process},
    worker,
};
use modelzoo_base::file::absolute;
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
    pub code: PluginCode,
    /// Where it runs.
    pub isolation: Isolation,
    /// What the plugin may ask the host for.
    pub services: Arc<dyn HostServices>,
    /// The program that is started as a worker. It calls [`run_worker_if_asked`](crate::run_worker_if_asked) first in
    /// its `main`. `None` starts the running program again.
    pub worker_program: Option<PathBuf>,
    /// How long a plugin in a worker may give no sign of life during a call before the worker is ended and counts as died:
    /// no answer, and no use of a service. While it waits for a service, time stands still. [`Duration::MAX`], the default,
    /// waits for ever, as is always done for a plugin in this process, which cannot be ended.
    pub stall_timeout: Duration,
    /// Whether a worker is shut in. A plugin in this process cannot be.
    pub sandbox: Sandbox,
}

impl PluginRunner {
    /// Runs a plugin in a worker process, with `services` at its disposal.
    pub fn new(code: impl Into<PluginCode>, services: Arc<dyn HostServices>) -> Self {
        Self {
            code: code.into(),
            services,
            isolation: Isolation::default(),
            worker_program: None,
            stall_timeout: Duration::MAX,
            sandbox: Sandbox::default(),
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

    /// Says how long a plugin in a worker may give no sign of life.
    pub fn with_stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// Says whether a worker is shut in.
    pub fn with_sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = sandbox;
        self
    }

    /// What the plugin was built with.
    ///
    /// # Errors
    /// When the library is no plugin that this host can use, or the worker cannot be started.
    pub fn describe(&self) -> Result<PluginDescription, RuntimeError> {
        match self.isolation {
            Isolation::None => in_process::describe(&self.code),
            Isolation::Process => worker::describe(&self.worker_settings()?, &self.plugin_services()),
        }
        .map_err(|failure| failure.of("describe the plugin"))
    }

    /// Asks the plugin to download model `name` to `path`, a file or folder of the host's choice.
    ///
    /// # Errors
    /// As for [`describe`](Self::describe), and when the plugin cannot download the model.
    pub fn download_model(&self, name: &str, path: &Path) -> Result<(), RuntimeError> {
        let path = plugin_path(path)?;
        let services = self.plugin_services();
        match self.isolation {
            Isolation::None => in_process::download_model(&self.code, &services, name, &path),
            Isolation::Process => worker::download_model(&self.worker_settings()?, &services, name, &path),
        }
        .map_err(|failure| failure.of(format!("download the model {name}")))
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
        let services = self.plugin_services();
        match self.isolation {
            Isolation::None => in_process::load_model(&self.code, &services, name, &path, &options),
            Isolation::Process => {
                worker::load_model(self.worker_settings()?, &services, name, &path, options)
            }
        }
        .map_err(|failure| failure.of(format!("load the model {name}")))
    }

    fn plugin_services(&self) -> Arc<PluginServices> {
        Arc::new(PluginServices::new(Arc::clone(&self.services)))
    }

    fn worker_settings(&self) -> Result<worker::WorkerSettings, RuntimeError> {
        let program = match &self.worker_program {
            Some(program) => program.clone(),
            None => std::env::current_exe().map_err(|source| RuntimeError::WorkerStart {
                program: PathBuf::from("this program"),
                source,
            })?,
        };
        Ok(worker::WorkerSettings {
            code: self.code.clone(),
            program,
            stall_timeout: self.stall_timeout,
            sandbox: self.sandbox,
        })
    }
}

impl fmt::Debug for PluginRunner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PluginRunner")
            .field("code", &self.code)
            .field("isolation", &self.isolation)
            .field("worker_program", &self.worker_program)
            .field("stall_timeout", &self.stall_timeout)
            .field("sandbox", &self.sandbox)
            .finish_non_exhaustive()
    }
}

/// A path as plugins take it: absolute, in UTF-8.
fn plugin_path(path: &Path) -> Result<String, RuntimeError> {
    absolute(path)
        .into_os_string()
        .into_string()
        .map_err(|_| RuntimeError::Path(path.to_owned()))
}
