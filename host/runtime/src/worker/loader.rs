//! Loading a model in a worker, as often as it takes.

use super::{
    WorkerSettings,
    process::Worker,
    protocol::{MethodCall, Opened, Question},
};
use crate::{
    PluginCode,
    runner::{LoadFailure, PluginServices},
    shared_memory::SharedMemory,
};
use modelzoo_plugin_api::{
    Device, LoadOptions,
    message::{self, SETUP},
};
use modelzoo_sandbox::{Conduct, Confinement};
use std::{path::PathBuf, sync::Arc};

/// How a model is loaded in a worker.
pub(super) struct Loader {
    settings: WorkerSettings,
    services: Arc<PluginServices>,
    weights: PathBuf,
    device: Device,
    question: Question,
    /// What all of its workers are asked lies here. Where it cannot be had, each has one of its own when it must.
    memory: Option<Arc<SharedMemory>>,
}

/// A worker with a loaded model, and what it said.
pub(super) struct Loaded {
    pub(super) worker: Worker,
    pub(super) opened: Opened,
    /// The model's information, encoded.
    pub(super) info: Vec<u8>,
}

impl Loader {
    /// Loads model `name` from `path` with workers that are started so.
    pub(super) fn new(
        settings: WorkerSettings,
        services: &Arc<PluginServices>,
        name: &str,
        path: &str,
        options: LoadOptions,
    ) -> Self {
        Self {
            settings,
            services: Arc::clone(services),
            weights: PathBuf::from(path),
            device: options.device,
            memory: SharedMemory::new().ok(),
            question: Question::Load {
                name: name.to_owned(),
                path: path.to_owned(),
                options,
            },
        }
    }

    /// Starts a worker and loads the model in it.
    pub(super) fn start(&self) -> Result<Loaded, LoadFailure> {
        let (worker, opened) = Worker::start(&self.settings, &self.services, self.memory.clone(), |least| {
            self.widened(least)
        })?;
        let (info, _) = worker.ask(&self.question, &[])?;
        Ok(Loaded { worker, opened, info })
    }

    /// The memory in which workers are asked.
    pub(super) fn memory(&self) -> Option<&Arc<SharedMemory>> {
        self.memory.as_ref()
    }

    /// Gets a loaded model ready for a run.
    pub(super) fn set_up(&self, worker: &Worker) -> Result<(), LoadFailure> {
        worker.ask(&method_call(SETUP, &message::encode(&())?), &[])?;
        Ok(())
    }

    /// Whether a second worker can have the model beside the one that is at work: a card seldom has the memory for it.
    pub(super) fn allows_spare(&self) -> bool {
        let least = Confinement::new(self.settings.sandbox, Conduct::Computes);
        self.widened(least).has_limited_size
    }

    /// Whether the user wants to stop.
    pub(super) fn is_cancelled(&self) -> bool {
        self.services.is_cancelled()
    }

    fn widened(&self, least: Confinement) -> Confinement {
        let with_weights = least.with_weights(&self.weights);
        let widened = match self.device {
            Device::Auto | Device::Cuda(_) => with_weights.with_cuda(),
            _ => with_weights,
        };
        match self.settings.code {
            PluginCode::Library(_) => widened,
            PluginCode::BuiltIn(_) => widened.with_linked_files(&self.weights),
        }
    }
}

/// The question that calls a method of the loaded model.
pub(super) fn method_call(method: &str, message: &[u8]) -> Question {
    Question::Call(MethodCall {
        method: method.to_owned(),
        message: message.to_vec(),
    })
}
