//! The one thing that a plugin exports.

use crate::{AbiResult, HostServices, ModelHandle, Reply, Request};
use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RSlice, RStr, RVec},
};

/// The entry points of a plugin. They mirror the functions of a FiftyOne model source by name.
///
/// None of them unwinds: a panic of the plugin comes back as an error.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRootRef)))]
#[sabi(missing_field(panic))]
pub struct PluginRoot {
    /// What the plugin was built with, as a MessagePack map (`PluginDescription`).
    pub describe: extern "C" fn() -> AbiResult<RVec<u8>>,
    /// Downloads what model `name` needs to the file or directory `path` (absolute, UTF-8).
    pub download_model: extern "C" fn(name: RStr<'_>, path: RStr<'_>, host: HostServices) -> AbiResult<()>,
    /// Loads model `name` from `path`; `options` is a MessagePack map (`LoadOptions`).
    pub load_model: extern "C" fn(
        name: RStr<'_>,
        path: RStr<'_>,
        options: RSlice<'_, u8>,
        host: HostServices,
    ) -> AbiResult<ModelHandle>,
    /// Calls a method that concerns the plugin as a whole, one that `describe` lists.
    #[sabi(last_prefix_field)]
    pub call: extern "C" fn(request: Request<'_>) -> AbiResult<Reply>,
}

impl RootModule for PluginRootRef {
    abi_stable::declare_root_module_statics! {PluginRootRef}
    const BASE_NAME: &'static str = "modelzoo_plugin";
    const NAME: &'static str = "modelzoo_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
