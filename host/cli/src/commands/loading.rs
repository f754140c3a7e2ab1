//! From arguments to how a model is loaded.

use crate::{
    arguments::{IsolationArgument, ModelOptions, PluginRunArguments},
    terminal::{Hinted, Result},
};
use modelzoo::{LoadSettings, Sandbox, config::PluginOrigin, diagnosis::ErrorClass};

/// How a model is to be loaded.
pub fn load_settings(options: &ModelOptions, run: &PluginRunArguments) -> Result<LoadSettings> {
    if run.isolation == IsolationArgument::None && run.stall_timeout.is_some() {
        return Err(Hinted {
            message: "--stall-timeout ends the plugin's process, and --isolation none gives it none"
                .to_owned(),
            hint: "leave out one of the two".to_owned(),
            class: ErrorClass::Usage,
        }
        .into());
    }
    if run.isolation == IsolationArgument::None && run.sandbox == Some(Sandbox::On) {
        return Err(Hinted {
            message: "--sandbox on shuts the plugin's process in, and --isolation none gives it none"
                .to_owned(),
            hint: "leave out one of the two".to_owned(),
            class: ErrorClass::Usage,
        }
        .into());
    }
    let set = options.settings.iter();
    Ok(LoadSettings {
        device: options.device,
        precision: options.precision,
        threads: options.threads.map(usize::from),
        options: set
            .map(|setting| (setting.key.clone(), setting.value.clone()))
            .collect(),
        isolation: run.isolation.into(),
        stall_timeout: run.stall_timeout,
        sandbox: run.sandbox,
        origin: origin(run),
        worker_program: None,
    })
}

/// Where the plugin is to come from, where that is said.
fn origin(run: &PluginRunArguments) -> Option<PluginOrigin> {
    if run.build {
        Some(PluginOrigin::Build)
    } else if run.prebuilt {
        Some(PluginOrigin::Prebuilt)
    } else {
        None
    }
}
