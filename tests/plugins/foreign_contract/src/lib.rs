//! A library that exports a root module of its own with abi_stable: the right mechanism, and the wrong contract.

use abi_stable::{
    StableAbi, export_root_module, library::RootModule, package_version_strings,
    prefix_type::PrefixTypeTrait as _, sabi_types::VersionStrings,
};

/// A root module that has nothing to do with modelzoo.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRootRef)))]
#[sabi(missing_field(panic))]
pub struct PluginRoot {
    /// A function of the wrong type.
    #[sabi(last_prefix_field)]
    pub describe: extern "C" fn() -> u64,
}

impl RootModule for PluginRootRef {
    abi_stable::declare_root_module_statics! {PluginRootRef}
    const BASE_NAME: &'static str = "modelzoo_plugin";
    const NAME: &'static str = "modelzoo_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

#[export_root_module]
fn root() -> PluginRootRef {
    PluginRoot { describe }.leak_into_prefix()
}

extern "C" fn describe() -> u64 {
    42
}
