//! What the host offers to its plugins.

use crate::{AbiResult, Reply, Request};
use abi_stable::StableAbi;
use core::ffi::c_void;

/// What stands behind a table of [`HostServices`]: services whose messages are bytes.
///
/// A panic ends the process, because none may cross into the plugin: whoever runs other people's code in `call`
/// catches it there and gives it back as an error.
pub trait RawServices: Sync {
    /// Calls the service that `request` names. A name that is not known is an error of kind `unsupported`.
    fn call(&self, request: Request<'_>) -> AbiResult<Reply>;
}

/// The host's services, as one function that takes named methods; `ABI.md` lists them.
///
/// It may be called from any thread, and stays valid until the process ends: a plugin may keep it.
///
/// Safe code makes one from services that live so long:
///
/// ```
/// use modelzoo_abi::{AbiResult, HostServices, RawServices, Reply, Request};
///
/// struct Echo;
///
/// impl RawServices for Echo {
///     fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
///         AbiResult::ROk(Reply { message: request.message.to_vec().into(), buffers: Default::default() })
///     }
/// }
///
/// static ECHO: Echo = Echo;
/// let services = HostServices::of(&ECHO);
/// let request = Request { method: "echo/1".into(), message: b"hello"[..].into(), buffers: (&[][..]).into() };
/// assert_eq!(services.call(request).unwrap().message, b"hello"[..]);
/// ```
///
/// It cannot make one from services that end earlier,
///
/// ```compile_fail,E0597
/// # use modelzoo_abi::{AbiResult, HostServices, RawServices, Reply, Request};
/// # struct Echo(Vec<u8>);
/// # impl RawServices for Echo {
/// #     fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
/// #         AbiResult::ROk(Reply { message: self.0.clone().into(), buffers: Default::default() })
/// #     }
/// # }
/// let services = {
///     let echo = Echo(Vec::new());
///     HostServices::of(&echo)
/// };
/// ```
///
/// nor from services that only one thread may call,
///
/// ```compile_fail,E0277
/// # use modelzoo_abi::{AbiResult, HostServices, RawServices, Reply, Request};
/// struct Counter(std::cell::Cell<u32>);
///
/// impl RawServices for Counter {
///     fn call(&self, _: Request<'_>) -> AbiResult<Reply> {
///         self.0.set(self.0.get() + 1);
///         AbiResult::ROk(Reply { message: Default::default(), buffers: Default::default() })
///     }
/// }
/// ```
///
/// nor from its parts: the fields are private,
///
/// ```compile_fail,E0451
/// # use modelzoo_abi::{AbiResult, HostServices, Reply, Request};
/// # use std::ffi::c_void;
/// unsafe extern "C" fn call(_: *const c_void, _: Request<'_>) -> AbiResult<Reply> {
///     AbiResult::RErr(Default::default())
/// }
/// let services = HostServices { context: std::ptr::dangling(), call };
/// ```
///
/// and the constructor that takes them is unsafe.
///
/// ```compile_fail,E0133
/// # use modelzoo_abi::{AbiResult, HostServices, Reply, Request};
/// # use std::ffi::c_void;
/// # unsafe extern "C" fn call(_: *const c_void, _: Request<'_>) -> AbiResult<Reply> {
/// #     AbiResult::RErr(Default::default())
/// # }
/// let services = HostServices::new(std::ptr::null(), call);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct HostServices {
    context: *const c_void,
    call: unsafe extern "C" fn(context: *const c_void, request: Request<'_>) -> AbiResult<Reply>,
}

impl HostServices {
    /// The table of `services`.
    pub fn of<S: RawServices>(services: &'static S) -> Self {
        // SAFETY: `call_services::<S>` takes a `&S` as its context, which lives until the process ends and may be
        // used from any thread, because `S` is `Sync`.
        unsafe { Self::new(core::ptr::from_ref(services).cast(), call_services::<S>) }
    }

    /// A table from its parts, for services that are not written in Rust.
    ///
    /// # Safety
    /// Until the process ends, `call` can be called with `context` from any thread, also from several at once. It
    /// does not unwind.
    pub const unsafe fn new(
        context: *const c_void,
        call: unsafe extern "C" fn(context: *const c_void, request: Request<'_>) -> AbiResult<Reply>,
    ) -> Self {
        Self { context, call }
    }

    /// Calls a service of the host.
    pub fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        // SAFETY: `new` demands that this context can be passed to this function, from any thread and for ever.
        unsafe { (self.call)(self.context, request) }
    }
}

unsafe extern "C" fn call_services<S: RawServices>(
    context: *const c_void,
    request: Request<'_>,
) -> AbiResult<Reply> {
    // SAFETY: `HostServices::of` made the context from a `&'static S`.
    let services = unsafe { &*context.cast::<S>() };
    services.call(request)
}

// SAFETY: `new` demands a function that any thread may call with the context.
unsafe impl Send for HostServices {}
// SAFETY: as for `Send`.
unsafe impl Sync for HostServices {}
