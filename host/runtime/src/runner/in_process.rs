//! Running a plugin in this process.

use super::{Call, CallFailure, CalledModel, LoadFailure, LoadedModel, PluginServices, service_table};
use crate::{
    PluginCode, SandboxReport, SharedMemory,
    library::{Plugin, call_model},
};
use modelzoo_abi::{HostServices, ModelHandle, Reply};
use modelzoo_plugin_api::{
    LoadOptions,
    message::{self, PluginDescription},
};
use std::{num::NonZeroUsize, sync::Arc};

/// What the plugin was built with.
pub(crate) fn describe(code: &PluginCode) -> Result<PluginDescription, LoadFailure> {
    Ok(Plugin::open(code)?.describe()?)
}

/// Asks the plugin for a download.
pub(crate) fn download_model(
    code: &PluginCode,
    services: &Arc<PluginServices>,
    name: &str,
    path: &str,
) -> Result<(), LoadFailure> {
    Ok(Plugin::open(code)?.download_model(name, path, table(services))?)
}

/// Loads a model.
pub(crate) fn load_model(
    code: &PluginCode,
    services: &Arc<PluginServices>,
    name: &str,
    path: &str,
    options: &LoadOptions,
) -> Result<Box<dyn LoadedModel>, LoadFailure> {
    let plugin = Plugin::open(code)?;
    let handle = plugin.load_model(name, path, options, table(services))?;
    Ok(Box::new(CalledModel {
        info: message::decode(&message::result(handle.info())?)?,
        plugin: plugin.describe()?,
        sandbox: SandboxReport::default(),
        services: Arc::clone(services),
        calls: InProcess {
            handle,
            memory: SharedMemory::new().ok(),
        },
    }))
}

fn table(services: &Arc<PluginServices>) -> HostServices {
    let services = Arc::clone(services);
    service_table(move |method, arguments| services.answer(method, arguments))
}

/// A model of this process.
struct InProcess {
    handle: ModelHandle,
    /// Nothing is copied here, but the system need not clear memory for each picture anew.
    memory: Option<Arc<SharedMemory>>,
}

impl Call for InProcess {
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, CallFailure> {
        Ok(call_model(&self.handle, method, message, buffers)?)
    }

    /// All cores are at work on one call already.
    fn under_way(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn memory(&self) -> Option<&Arc<SharedMemory>> {
        self.memory.as_ref()
    }

    fn process_id(&self) -> Option<u32> {
        Some(std::process::id())
    }
}
