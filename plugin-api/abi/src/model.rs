//! A loaded model as the host holds it.

use crate::{AbiResult, Reply, Request};
use abi_stable::{StableAbi, prefix_type::WithMetadata, std_types::RVec};
use core::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What stands behind a [`ModelHandle`]: a model whose messages are bytes.
///
/// A panic of `info` or `call` ends the process, because none may cross into the host: whoever runs other people's
/// code in them catches it there and gives it back as an error.
pub trait RawModel: Send + Sync + 'static {
    /// What the model is and can do, as a MessagePack map (`ModelInfo`).
    fn info(&self) -> AbiResult<RVec<u8>>;

    /// Calls a method of the model: one that `info` lists.
    fn call(&self, request: Request<'_>) -> AbiResult<Reply>;
}

/// The functions of a loaded model. Their `state` is always the one of the [`ModelHandle`] that the table came with.
///
/// Nobody but a handle can call them:
///
/// ```compile_fail,E0624
/// fn call_with_another_state(functions: modelzoo_abi::ModelFunctionsRef) {
///     unsafe { functions.info()(std::ptr::null()) };
/// }
/// ```
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ModelFunctionsRef)))]
#[sabi(missing_field(panic))]
pub struct ModelFunctions {
    info: unsafe extern "C" fn(state: *const c_void) -> AbiResult<RVec<u8>>,
    call: unsafe extern "C" fn(state: *const c_void, request: Request<'_>) -> AbiResult<Reply>,
    #[sabi(last_prefix_field)]
    release: unsafe extern "C" fn(state: *mut c_void),
}

impl ModelFunctions {
    /// A table from its parts: what [`RawModel`] says of `info` and `call`, and the function that ends the model.
    ///
    /// # Safety
    /// For any state that the table is joined with in [`ModelHandle::new`]: `info` and `call` can be called from any
    /// thread, also from several at once, until `release` is called, which happens once, from any thread. None of
    /// them unwinds.
    pub const unsafe fn new(
        info: unsafe extern "C" fn(state: *const c_void) -> AbiResult<RVec<u8>>,
        call: unsafe extern "C" fn(state: *const c_void, request: Request<'_>) -> AbiResult<Reply>,
        release: unsafe extern "C" fn(state: *mut c_void),
    ) -> Self {
        Self { info, call, release }
    }
}

/// A loaded model: the plugin's state and the functions that work on it. Dropping it ends the model.
///
/// Safe code makes one from a model that it gives away:
///
/// ```
/// use modelzoo_abi::{AbiResult, ModelHandle, RawModel, Reply, Request, abi_stable::std_types::RVec};
///
/// struct Nothing;
///
/// impl RawModel for Nothing {
///     fn info(&self) -> AbiResult<RVec<u8>> {
///         AbiResult::ROk(b"nothing"[..].into())
///     }
///
///     fn call(&self, _: Request<'_>) -> AbiResult<Reply> {
///         AbiResult::RErr(RVec::new())
///     }
/// }
///
/// assert_eq!(ModelHandle::of(Box::new(Nothing)).info().unwrap(), b"nothing"[..]);
/// ```
///
/// It cannot make one from a model that borrows what may end earlier,
///
/// ```compile_fail,E0597
/// # use modelzoo_abi::{AbiResult, ModelHandle, RawModel, Reply, Request, abi_stable::std_types::RVec};
/// struct Borrowed<'a>(&'a [u8]);
///
/// impl RawModel for Borrowed<'static> {
///     fn info(&self) -> AbiResult<RVec<u8>> {
///         AbiResult::ROk(self.0.into())
///     }
///
///     fn call(&self, _: Request<'_>) -> AbiResult<Reply> {
///         AbiResult::RErr(RVec::new())
///     }
/// }
///
/// let handle = {
///     let bytes = vec![1, 2, 3];
///     ModelHandle::of(Box::new(Borrowed(&bytes)))
/// };
/// ```
///
/// nor join any state with any functions: that is unsafe.
///
/// ```compile_fail,E0133
/// fn join(functions: modelzoo_abi::ModelFunctionsRef) -> modelzoo_abi::ModelHandle {
///     modelzoo_abi::ModelHandle::new(std::ptr::null_mut(), functions)
/// }
/// ```
#[repr(C)]
#[derive(StableAbi)]
pub struct ModelHandle {
    state: *mut c_void,
    functions: ModelFunctionsRef,
}

impl ModelHandle {
    /// The handle of `model`.
    pub fn of<M: RawModel>(model: Box<M>) -> Self {
        let functions = ModelFunctionsRef(Functions::<M>::WITH_METADATA.static_as_prefix());
        // SAFETY: the functions for `M` take a pointer that came from a `Box<M>`, which is theirs from now on; an `M`
        // may be used and dropped on any thread.
        unsafe { Self::new(Box::into_raw(model).cast(), functions) }
    }

    /// Joins a state and its functions, for models that are not written in Rust.
    ///
    /// # Safety
    /// The functions accept `state`, as [`ModelFunctions::new`] says, and nobody else uses it.
    pub unsafe fn new(state: *mut c_void, functions: ModelFunctionsRef) -> Self {
        Self { state, functions }
    }

    /// What the model is and can do, as a MessagePack map.
    pub fn info(&self) -> AbiResult<RVec<u8>> {
        // SAFETY: `new` demands functions that accept the state, and only `drop` calls `release`.
        unsafe { self.functions.info()(self.state) }
    }

    /// Calls a method of the model.
    pub fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        // SAFETY: as for `info`.
        unsafe { self.functions.call()(self.state, request) }
    }
}

impl Drop for ModelHandle {
    fn drop(&mut self) {
        // SAFETY: as for `info`; nothing is called after this.
        unsafe { self.functions.release()(self.state) }
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

/// The functions of models of type `M`, whose state is a `Box<M>`.
struct Functions<M>(core::marker::PhantomData<M>);

impl<M: RawModel> Functions<M> {
    // SAFETY: the functions take a `Box<M>` as `ModelHandle::of` makes it; `RawModel` lets any thread use it.
    const TABLE: ModelFunctions = unsafe { ModelFunctions::new(info::<M>, call::<M>, release::<M>) };
    const WITH_METADATA: &'static WithMetadata<ModelFunctions> = &WithMetadata::new(Self::TABLE);
}

unsafe extern "C" fn info<M: RawModel>(state: *const c_void) -> AbiResult<RVec<u8>> {
    // SAFETY: `ModelHandle::of` made the state from a `Box<M>`, and it is not released yet.
    let model = unsafe { &*state.cast::<M>() };
    model.info()
}

unsafe extern "C" fn call<M: RawModel>(state: *const c_void, request: Request<'_>) -> AbiResult<Reply> {
    // SAFETY: as for `info`.
    let model = unsafe { &*state.cast::<M>() };
    model.call(request)
}

unsafe extern "C" fn release<M: RawModel>(state: *mut c_void) {
    // SAFETY: `ModelHandle::of` made the state from a `Box<M>`, and the handle releases it once, last.
    let model = unsafe { Box::from_raw(state.cast::<M>()) };
    // A model that panics while it is dropped has told so on standard error; nobody waits for an answer.
    drop(catch_unwind(AssertUnwindSafe(|| drop(model))));
}
