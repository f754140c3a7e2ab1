//! A loaded model of a plugin for C.

use super::reply::PluginReply;
use modelzoo_abi::{AbiResult, RawModel, Reply, Request, abi_stable::std_types::RVec, c};
use modelzoo_plugin_api::{Error, Result, message};
use std::ffi::c_void;

/// The state of a model and the functions that work on it. Dropping it ends the model.
pub(super) struct CModel {
    state: *mut c_void,
    info: unsafe extern "C" fn(*const c_void, *mut c::Reply) -> c::Status,
    call: unsafe extern "C" fn(*const c_void, *const c::Request, *mut c::Reply) -> c::Status,
    release: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: the contract lets any thread call the functions with the state.
unsafe impl Send for CModel {}
// SAFETY: the contract lets several threads call `info` and `call` at once; `release` needs the model by value.
unsafe impl Sync for CModel {}

impl CModel {
    /// Takes over a model that a plugin has filled in.
    ///
    /// # Safety
    /// The functions that are there accept the state, as the contract says, and nobody else uses it.
    pub(super) unsafe fn of(model: c::Model) -> Result<Self> {
        let missing =
            |name: &str| Error::new(format!("the plugin gave a model without the function `{name}`"));
        let release = model.release.ok_or_else(|| missing("release"))?;
        let functions = match (model.info, model.call) {
            (Some(info), Some(call)) => Ok((info, call)),
            (None, _) => Err("info"),
            (_, None) => Err("call"),
        };
        match functions {
            Ok((info, call)) => Ok(Self {
                state: model.state,
                info,
                call,
                release,
            }),
            Err(name) => {
                // SAFETY: the plugin has put both there, for each other.
                unsafe { release(model.state) };
                Err(missing(name))
            }
        }
    }

    fn ask(&self, request: Request<'_>) -> Result<Reply> {
        let buffers: Vec<c::Bytes> = request
            .buffers
            .iter()
            .map(|view| bytes(view.bytes.as_slice()))
            .collect();
        let request = c::Request {
            size: size_of::<c::Request>(),
            method: c::Text {
                data: request.method.as_ptr().cast(),
                length: request.method.len(),
            },
            message: bytes(request.message.as_slice()),
            buffers: buffers.as_ptr(),
            buffer_count: buffers.len(),
        };
        let mut reply = PluginReply::default();
        // SAFETY: the state is the one that the function came with; what the request points to lives until it returns.
        let status = unsafe { (self.call)(self.state, &request, reply.as_mut_ptr()) };
        // SAFETY: the plugin's function has filled it in.
        unsafe { reply.take(status) }
    }
}

impl RawModel for CModel {
    fn info(&self) -> AbiResult<RVec<u8>> {
        let mut reply = PluginReply::default();
        // SAFETY: the state is the one that the function came with.
        let status = unsafe { (self.info)(self.state, reply.as_mut_ptr()) };
        // SAFETY: the plugin's function has filled it in.
        let reply = unsafe { reply.take(status) };
        encoded(reply.map(|reply| reply.message))
    }

    fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        encoded(self.ask(request))
    }
}

impl Drop for CModel {
    fn drop(&mut self) {
        // SAFETY: the state is the one that the function came with; nothing is called after this.
        unsafe { (self.release)(self.state) }
    }
}

fn bytes(bytes: &[u8]) -> c::Bytes {
    c::Bytes {
        data: bytes.as_ptr(),
        length: bytes.len(),
    }
}

fn encoded<T>(result: Result<T>) -> AbiResult<T> {
    result.map_err(|error| message::encode_error(&error)).into()
}
