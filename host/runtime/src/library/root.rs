//! The two forms of what a plugin exports.

use super::c::CPlugin;
use modelzoo_abi::PluginRootRef;

/// What a plugin exports.
#[derive(Clone, Copy)]
pub(super) enum Root {
    /// The root module, for Rust.
    Rust(PluginRootRef),
    /// The table, for C.
    C(CPlugin),
}
