//! The one thing that a plugin exports.

use crate::{AbiResult, HostServices, ModelHandle, Reply, Request};
use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings,
    prefix_type::PrefixTypeTrait as _,
    sabi_types::VersionStrings,
    std_types::{RSlice, RStr, RVec},
};

/// What the plugin was built with, as a MessagePack map (`PluginDescription`).
pub type Describe = extern "C" fn() -> AbiResult<RVec<u8>>;

/// Downloads what model `name` needs to the file or directory `path` (absolute, UTF-8).
pub type DownloadModel = extern "C" fn(name: RStr<'_>, path: RStr<'_>, host: HostServices) -> AbiResult<()>;

/// Loads model `name` from `path`; `options` is a MessagePack map (`LoadOptions`).
pub type LoadModel = extern "C" fn(
    name: RStr<'_>,
    path: RStr<'_>,
    options: RSlice<'_, u8>,
    host: HostServices,
) -> AbiResult<ModelHandle>;

/// Calls a method that concerns the plugin as a whole, one that its description lists.
pub type CallPlugin = extern "C" fn(request: Request<'_>) -> AbiResult<Reply>;

/// The entry points of a plugin. They mirror the functions of a FiftyOne model source by name.
///
/// They take no state, and every argument keeps what its type promises; so they are safe to call, from any thread,
/// and safe code can make a root. None of them unwinds: a panic of the plugin comes back as an error.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRootRef)))]
#[sabi(missing_field(panic))]
pub struct PluginRoot {
    // The derive macro reads functions as they are written, and not behind their names.
    describe_entry: extern "C" fn() -> AbiResult<RVec<u8>>,
    download_entry: extern "C" fn(name: RStr<'_>, path: RStr<'_>, host: HostServices) -> AbiResult<()>,
    load_entry: extern "C" fn(
        name: RStr<'_>,
        path: RStr<'_>,
        options: RSlice<'_, u8>,
        host: HostServices,
    ) -> AbiResult<ModelHandle>,
    #[sabi(last_prefix_field)]
    call_entry: extern "C" fn(request: Request<'_>) -> AbiResult<Reply>,
}

impl PluginRootRef {
    /// The root with these entries. It lives until the process ends.
    pub fn new(
        describe: Describe,
        download_model: DownloadModel,
        load_model: LoadModel,
        call: CallPlugin,
    ) -> Self {
        PluginRoot {
            describe_entry: describe,
            download_entry: download_model,
            load_entry: load_model,
            call_entry: call,
        }
        .leak_into_prefix()
    }

    /// What the plugin was built with: see [`Describe`].
    pub fn describe(&self) -> AbiResult<RVec<u8>> {
        self.describe_entry()()
    }

    /// Downloads a model: see [`DownloadModel`].
    pub fn download_model(&self, name: &str, path: &str, host: HostServices) -> AbiResult<()> {
        self.download_entry()(name.into(), path.into(), host)
    }

    /// Loads a model: see [`LoadModel`].
    pub fn load_model(
        &self,
        name: &str,
        path: &str,
        options: &[u8],
        host: HostServices,
    ) -> AbiResult<ModelHandle> {
        self.load_entry()(name.into(), path.into(), options.into(), host)
    }

    /// Calls a method of the plugin: see [`CallPlugin`].
    pub fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        self.call_entry()(request)
    }
}

impl RootModule for PluginRootRef {
    abi_stable::declare_root_module_statics! {PluginRootRef}
    const BASE_NAME: &'static str = "modelzoo_plugin";
    const NAME: &'static str = "modelzoo_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
