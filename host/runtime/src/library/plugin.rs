//! An open plugin, with the messages of its entries encoded and decoded.

use super::{LibraryError, c::CPlugin, open, root::Root};
use crate::PluginCode;
use modelzoo_abi::{BufferView, HostServices, ModelHandle, Reply, Request};
use modelzoo_plugin_api::{
    LoadOptions, Result,
    message::{self, PluginDescription},
};

/// An open plugin. It stays open until the process ends.
#[derive(Clone, Copy)]
pub(crate) struct Plugin {
    root: Root,
}

impl Plugin {
    /// Opens the library after checking its content; a plugin that is built in is open already.
    pub(crate) fn open(code: &PluginCode) -> Result<Self, LibraryError> {
        let root = match code {
            PluginCode::Library(artifact) => open::root(artifact)?,
            PluginCode::BuiltIn(plugin) => Root::Rust((plugin.root)()),
        };
        Ok(Self { root })
    }

    /// What the plugin was built with.
    pub(crate) fn describe(&self) -> Result<PluginDescription> {
        match self.root {
            Root::Rust(root) => message::decode(&message::result(root.describe())?),
            Root::C(_) => Ok(CPlugin::describe()),
        }
    }

    /// Asks the plugin to download model `name` to the absolute path `path`.
    pub(crate) fn download_model(&self, name: &str, path: &str, services: HostServices) -> Result<()> {
        match self.root {
            Root::Rust(root) => message::result(root.download_model(name, path, services)),
            Root::C(plugin) => plugin.download_model(name, path, services),
        }
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
        match self.root {
            Root::Rust(root) => message::result(root.load_model(name, path, &options, services)),
            Root::C(plugin) => plugin.load_model(name, path, &options, services),
        }
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
