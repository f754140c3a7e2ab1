//! An open plugin, with the messages of its entries encoded and decoded.

use super::{LibraryError, open};
use crate::PluginCode;
use modelzoo_abi::{BufferView, HostServices, ModelHandle, PluginRootRef, Reply, Request};
use modelzoo_plugin_api::{
    LoadOptions, Result,
    message::{self, PluginDescription},
};

/// An open plugin. It stays open until the process ends.
#[derive(Clone, Copy)]
pub(crate) struct Plugin {
    root: PluginRootRef,
}

impl Plugin {
    /// Opens the library after checking its content; a plugin that is built in is open already.
    pub(crate) fn open(code: &PluginCode) -> Result<Self, LibraryError> {
        let root = match code {
            PluginCode::Library(artifact) => open::root(artifact)?,
            PluginCode::BuiltIn(plugin) => (plugin.root)(),
        };
        Ok(Self { root })
    }

    /// What the plugin was built with.
    pub(crate) fn describe(&self) -> Result<PluginDescription> {
        message::decode(&message::result(self.root.describe())?)
    }

    /// Asks the plugin to download model `name` to the absolute path `path`.
    pub(crate) fn download_model(&self, name: &str, path: &str, services: HostServices) -> Result<()> {
        message::result(self.root.download_model(name, path, services))
    }

    /// Loads model `name` from the absolute path `path`.
    pub(crate) fn load_model(
        &self,
        name: &str,
        path: &str,
        options: &LoadOptions,
        services: HostServices,
    ) -> Result<ModelHandle> {
        let options = message::encode(options)?;
        message::result(self.root.load_model(name, path, &options, services))
    }
}

/// Calls a method of a model with a message and buffers.
pub(crate) fn call_model(
    model: &ModelHandle,
    method: &str,
    message: &[u8],
    buffers: &[&[u8]],
) -> Result<Reply> {
    let views: Vec<BufferView<'_>> = buffers
        .iter()
        .map(|&bytes| BufferView { bytes: bytes.into() })
        .collect();
    message::result(model.call(Request {
        method: method.into(),
        message: message.into(),
        buffers: views.as_slice().into(),
    }))
}
