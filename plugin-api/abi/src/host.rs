//! What the host offers to its plugins.

use crate::{AbiResult, Reply, Request};
use abi_stable::StableAbi;
use core::ffi::c_void;

/// The host's services, as one function that takes named methods: `"log/1"`, `"progress/1"`, `"cancelled/1"`,
/// `"threads/1"`, `"download/1"`. A method that the host does not know is answered with an error.
///
/// It may be called from any thread, and stays valid until the process ends: a plugin may keep it.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct HostServices {
    /// Passed back with every call; the plugin does not look into it.
    pub context: *const c_void,
    /// Calls a service.
    pub call: extern "C" fn(context: *const c_void, request: Request<'_>) -> AbiResult<Reply>,
}

impl HostServices {
    /// Calls a service of the host.
    pub fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        (self.call)(self.context, request)
    }
}

// SAFETY: the contract above lets any thread call the services; `context` is the host's own, made for that.
unsafe impl Send for HostServices {}
// SAFETY: as for `Send`.
unsafe impl Sync for HostServices {}
