//! A loaded model as the host holds it.

use crate::{AbiResult, Reply, Request};
use abi_stable::{StableAbi, std_types::RVec};
use core::ffi::c_void;

/// The functions of a loaded model. `state` is always the one of the [`ModelHandle`] that the table came with.
///
/// All but `release` may be called from several threads at once. None of them unwinds: a panic of the model comes
/// back as an error.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ModelFunctionsRef)))]
#[sabi(missing_field(panic))]
pub struct ModelFunctions {
    /// What the model is and can do, as a MessagePack map (`ModelInfo`).
    pub info: extern "C" fn(state: *const c_void) -> AbiResult<RVec<u8>>,
    /// Calls a method of the model: `"predict/1"`, `"embed/1"`, or any extension that `info` lists.
    pub call: extern "C" fn(state: *const c_void, request: Request<'_>) -> AbiResult<Reply>,
    /// Ends the model. `state` must not be used again.
    #[sabi(last_prefix_field)]
    pub release: extern "C" fn(state: *mut c_void),
}

/// A loaded model: the plugin's state and the functions that work on it. Dropping it ends the model.
#[repr(C)]
#[derive(StableAbi)]
pub struct ModelHandle {
    state: *mut c_void,
    functions: ModelFunctionsRef,
}

impl ModelHandle {
    /// Joins a state and its functions.
    ///
    /// # Safety
    /// The functions accept `state` from any thread, until `release` is called on it.
    pub unsafe fn new(state: *mut c_void, functions: ModelFunctionsRef) -> Self {
        Self { state, functions }
    }

    /// What the model is and can do, as a MessagePack map.
    pub fn info(&self) -> AbiResult<RVec<u8>> {
        self.functions.info()(self.state)
    }

    /// Calls a method of the model.
    pub fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        self.functions.call()(self.state, request)
    }
}

impl Drop for ModelHandle {
    fn drop(&mut self) {
        self.functions.release()(self.state);
    }
}

impl core::fmt::Debug for ModelHandle {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("ModelHandle").finish_non_exhaustive()
    }
}

// SAFETY: `new` demands functions that accept the state from any thread.
unsafe impl Send for ModelHandle {}
// SAFETY: as for `Send`; `release` needs the handle by value.
unsafe impl Sync for ModelHandle {}
