//! Running a plugin in this process.

use super::{Call, CallFailure, LoadedModel, PluginRunner, Runner, answer, service_table};
use crate::{RuntimeError, library::Plugin};
use modelzoo_abi::{BufferView, ModelHandle, Reply, Request};
use modelzoo_plugin_api::{
    LoadOptions,
    message::{self, PluginDescription},
};
use std::sync::Arc;

/// What the plugin was built with.
pub(super) fn describe(runner: &PluginRunner) -> Result<PluginDescription, RuntimeError> {
    let plugin = Plugin::open(&runner.artifact)?;
    plugin.describe().map_err(|error| RuntimeError::Plugin {
        action: "describe the plugin".to_owned(),
        error,
    })
}

/// Asks the plugin for a download.
pub(super) fn download_model(runner: &PluginRunner, name: &str, path: &str) -> Result<(), RuntimeError> {
    let plugin = Plugin::open(&runner.artifact)?;
    plugin
        .download_model(name, path, table(runner))
        .map_err(|error| RuntimeError::Plugin {
            action: format!("download the model {name}"),
            error,
        })
}

/// Loads a model.
pub(super) fn load_model(
    runner: &PluginRunner,
    name: &str,
    path: &str,
    options: &LoadOptions,
) -> Result<Box<dyn LoadedModel>, RuntimeError> {
    let plugin = Plugin::open(&runner.artifact)?;
    let load = || {
        let handle = plugin.load_model(name, path, options, table(runner))?;
        Ok(Runner {
            info: message::decode(&message::result(handle.info())?)?,
            plugin: plugin.describe()?,
            calls: handle,
        })
    };
    load()
        .map(|model| Box::new(model) as Box<dyn LoadedModel>)
        .map_err(|error| RuntimeError::Plugin {
            action: format!("load the model {name}"),
            error,
        })
}

fn table(runner: &PluginRunner) -> modelzoo_abi::HostServices {
    let services = Arc::clone(&runner.services);
    service_table(move |method, arguments| answer(services.as_ref(), method, arguments))
}

impl Call for ModelHandle {
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, CallFailure> {
        let views: Vec<BufferView<'_>> = buffers
            .iter()
            .map(|&bytes| BufferView { bytes: bytes.into() })
            .collect();
        let request = Request {
            method: method.into(),
            message: message.into(),
            buffers: views.as_slice().into(),
        };
        Ok(message::result(ModelHandle::call(self, request))?)
    }
}
