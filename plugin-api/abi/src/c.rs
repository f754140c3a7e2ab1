//! The contract for languages other than Rust: the types of `include/modelzoo.h`, which says what each of them is for,
//! what may be null, and who owns what. They are frozen as that file is.
//!
//! They are what lies in memory and promise nothing: whoever holds one that came from a plugin checks it first.

use core::ffi::{c_char, c_void};

/// The version of the contract.
pub const CONTRACT: u32 = 1;

/// The name of the one function that a plugin exports, an [`Entry`].
pub const ENTRY_NAME: &str = "modelzoo_plugin";

/// What [`ENTRY_NAME`] names.
pub type Entry = unsafe extern "C" fn() -> *const PluginTable;

/// How a call ended: one of the constants below, or a number that a later version knows.
pub type Status = i32;

/// It worked.
pub const DONE: Status = 0;
/// It did not.
pub const FAILED: Status = 1;
/// There is no such method.
pub const UNSUPPORTED: Status = 2;
/// This input cannot be used.
pub const INVALID_INPUT: Status = 3;
/// An option is unknown or has a wrong value, or there is no model of that name.
pub const INVALID_OPTION: Status = 4;
/// The weights are missing or cannot be read.
pub const WEIGHTS: Status = 5;
/// The user stopped it.
pub const CANCELLED: Status = 6;

/// A text in UTF-8.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Its first byte; null is allowed where there is none.
    pub data: *const c_char,
    /// How many bytes there are.
    pub length: usize,
}

/// Bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// The first one; null is allowed where there is none.
    pub data: *const u8,
    /// How many there are.
    pub length: usize,
}

/// A call of a named method.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The size of this structure, as its maker knows it.
    pub size: usize,
    /// Name and version of the method.
    pub method: Text,
    /// The arguments, in MessagePack.
    pub message: Bytes,
    /// Bulk data, referred to by index from the message.
    pub buffers: *const Bytes,
    /// How many buffers there are.
    pub buffer_count: usize,
}

/// What comes back, in memory of who was called.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// The size of this structure, as the caller knows it.
    pub size: usize,
    /// The result, in MessagePack; a text where the status is not [`DONE`].
    pub message: Bytes,
    /// Bulk data, referred to by index from the message.
    pub buffers: *const Bytes,
    /// How many buffers there are.
    pub buffer_count: usize,
    /// What `release` is called with.
    pub owner: *mut c_void,
    /// Ends what the reply points to; there may be nothing to end.
    pub release: Option<unsafe extern "C" fn(owner: *mut c_void)>,
}

/// The services of the host.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// The size of this structure, as the host knows it.
    pub size: usize,
    /// What `call` is called with.
    pub context: *const c_void,
    /// Calls a service.
    pub call:
        unsafe extern "C" fn(context: *const c_void, request: *const Request, reply: *mut Reply) -> Status,
}

/// What is to be downloaded.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Download {
    /// The size of this structure, as the host knows it.
    pub size: usize,
    /// The model.
    pub name: Text,
    /// The absolute path of the file or folder to write.
    pub path: Text,
    /// The services of the host.
    pub host: *const Host,
}

/// What is to be loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The size of this structure, as the host knows it.
    pub size: usize,
    /// The model.
    pub name: Text,
    /// The absolute path of the weights.
    pub path: Text,
    /// A map of options, in MessagePack.
    pub options: Bytes,
    /// The services of the host.
    pub host: *const Host,
}

/// A loaded model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The size of this structure, as the host knows it.
    pub size: usize,
    /// What the functions are called with.
    pub state: *mut c_void,
    /// What the model is and can do, in MessagePack.
    pub info: Option<unsafe extern "C" fn(state: *const c_void, reply: *mut Reply) -> Status>,
    /// Calls a method of the model.
    pub call: Option<
        unsafe extern "C" fn(state: *const c_void, request: *const Request, reply: *mut Reply) -> Status,
    >,
    /// Ends the model.
    pub release: Option<unsafe extern "C" fn(state: *mut c_void)>,
}

/// What a plugin exports.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PluginTable {
    /// The version of the contract that the plugin was built for.
    pub contract: u32,
    /// The size of this structure, as the plugin knows it.
    pub size: usize,
    /// Downloads a model.
    pub download_model: Option<unsafe extern "C" fn(arguments: *const Download, reply: *mut Reply) -> Status>,
    /// Loads a model.
    pub load_model:
        Option<unsafe extern "C" fn(arguments: *const Load, model: *mut Model, reply: *mut Reply) -> Status>,
}
