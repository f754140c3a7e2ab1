use super::{PreparedModel, Zoo, ZooError, services::Services};
use modelzoo_plugin_api::{Device, LoadOptions};
use modelzoo_runtime::{Artifact, Isolation, LoadedModel, PluginRunner};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How a model is loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadSettings {
    /// Where it runs.
    pub device: Device,
    /// How many threads it may use; `None` leaves it to the model.
    pub threads: Option<usize>,
    /// The model's own options, a map.
    pub options: serde_json::Map<String, serde_json::Value>,
    /// Whether the plugin gets a process of its own.
    pub isolation: Isolation,
    /// How long a plugin in a process of its own may give no sign of life before the process is ended; `None` asks the
    /// configuration, [`Duration::MAX`] waits for ever.
    pub stall_timeout: Option<Duration>,
    /// The program that is started as a worker; `None` is the running program.
    pub worker_program: Option<PathBuf>,
}

impl Zoo {
    /// Loads a prepared model.
    ///
    /// # Errors
    /// When the plugin does not fit this host, or its `load_model` fails.
    pub fn load_model(
        &self,
        model: &PreparedModel,
        settings: &LoadSettings,
    ) -> Result<Box<dyn LoadedModel>, ZooError> {
        let mut options = LoadOptions::default();
        options.device = settings.device;
        options.threads = settings.threads;
        options.settings = settings.options.clone();
        let runner = self.runner(model.artifact.clone(), settings, None);
        Ok(runner.load_model(&model.name, &model.weights, options)?)
    }

    /// How the plugin of an artifact is run, and the folder that it may download to.
    pub(super) fn runner(
        &self,
        artifact: Artifact,
        settings: &LoadSettings,
        download_folder: Option<PathBuf>,
    ) -> PluginRunner {
        let services = Services {
            downloader: Arc::clone(&self.downloader),
            observer: Arc::clone(&self.settings.observer),
            cancellation: self.settings.cancellation.clone(),
            threads: settings.threads,
            download_folder,
        };
        let stall_timeout = settings
            .stall_timeout
            .unwrap_or(self.settings.config.plugin.stall_timeout);
        let mut runner = PluginRunner::new(artifact, Arc::new(services))
            .with_isolation(settings.isolation)
            .with_stall_timeout(stall_timeout);
        runner.worker_program.clone_from(&settings.worker_program);
        runner
    }
}
