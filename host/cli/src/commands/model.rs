//! From the arguments that name a model to the loaded model.

use super::zoo::open;
use crate::{
    arguments::{Global, IsolationArgument, ModelArguments},
    terminal::Terminal,
};
use modelzoo_engine::zoo::{LoadSettings, Provenance, Zoo};
use modelzoo_runtime::{Isolation, LoadedModel};

/// A loaded model and where it comes from.
pub struct Loaded {
    pub model: Box<dyn LoadedModel>,
    pub provenance: Provenance,
}

/// Finds, builds and loads a model.
pub fn load(arguments: &ModelArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Loaded> {
    let zoo = open(global, terminal)?;
    let found = zoo.find_model(&arguments.choice.model, arguments.choice.name.as_deref())?;
    let settings = settings(arguments, &zoo)?;
    let prepared = zoo.prepare_model(&found, &settings)?;
    Ok(Loaded {
        model: zoo.load_model(&prepared, &settings)?,
        provenance: prepared.provenance,
    })
}

fn settings(arguments: &ModelArguments, zoo: &Zoo) -> anyhow::Result<LoadSettings> {
    let device = match arguments.device {
        Some(device) => device,
        None => zoo.settings().config.default_device.parse()?,
    };
    Ok(LoadSettings {
        device,
        threads: arguments.threads.map(usize::from),
        options: arguments
            .settings
            .iter()
            .map(|setting| (setting.key.clone(), setting.value.clone()))
            .collect(),
        isolation: match arguments.isolation {
            IsolationArgument::Process => Isolation::Process,
            IsolationArgument::None => Isolation::None,
        },
        worker_program: None,
    })
}
