//! From the arguments that name a model to the loaded model.

use super::zoo::open;
use crate::{
    arguments::{Global, IsolationArgument, ModelArguments, ModelOptions, PluginRunArguments},
    exit::Exit,
    terminal::{Hinted, Terminal},
};
use anyhow::bail;
use modelzoo::{LoadSettings, Provenance, Zoo};
use modelzoo_runtime::LoadedModel;
use std::num::NonZeroUsize;

/// A loaded model and where it comes from.
pub struct Loaded {
    pub model: Box<dyn LoadedModel>,
    pub provenance: Provenance,
    /// The user's batch size for models that have no wish of their own.
    pub default_batch_size: Option<NonZeroUsize>,
}

/// Finds, builds and loads a model.
pub fn load(arguments: &ModelArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Loaded> {
    let zoo = open(global, terminal)?;
    let found = zoo.find_model(&arguments.choice.model, arguments.choice.name.as_deref())?;
    let settings = load_settings(&arguments.options, &arguments.run, &zoo)?;
    let prepared = zoo.prepare_model(&found, &settings)?;
    Ok(Loaded {
        model: zoo.load_model(&prepared, &settings)?,
        provenance: prepared.provenance,
        default_batch_size: zoo.settings().config.default_batch_size,
    })
}

/// How a model is to be loaded.
pub fn load_settings(
    options: &ModelOptions,
    run: &PluginRunArguments,
    zoo: &Zoo,
) -> anyhow::Result<LoadSettings> {
    if run.isolation == IsolationArgument::None && run.stall_timeout.is_some() {
        bail!(Hinted {
            message: "--stall-timeout ends the plugin's process, and --isolation none gives it none"
                .to_owned(),
            hint: "leave out one of the two".to_owned(),
            exit: Exit::Usage,
        });
    }
    let device = match options.device {
        Some(device) => device,
        None => zoo.settings().config.default_device.parse()?,
    };
    let set = options.settings.iter();
    Ok(LoadSettings {
        device,
        threads: options.threads.map(usize::from),
        options: set
            .map(|setting| (setting.key.clone(), setting.value.clone()))
            .collect(),
        isolation: run.isolation.into(),
        stall_timeout: run.stall_timeout,
        worker_program: None,
    })
}
