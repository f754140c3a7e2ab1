//! The frozen binary contract between modelzoo and its plugins, version 1.
//!
//! A plugin is a `cdylib` that exports one [`PluginRoot`]. Through it the host downloads and loads models; a loaded
//! model is a [`ModelHandle`]. Nothing in this crate ever gains, loses or changes a field, because abi_stable refuses
//! a plugin whose types have fewer fields than the host's. What evolves travels *inside* the contract instead: as
//! self-describing messages (MessagePack maps) and as method names with a version (`"predict/1"`, `"embed/1"`).
//!
//! What has a contract that the compiler cannot see, a pointer and the functions that accept it, is made by `unsafe`
//! constructors only. Safe ones beside them, [`HostServices::of`] and [`ModelHandle::of`], make the same from Rust's own
//! types, and keep the contract by construction.
//!
//! [`c`] is the same contract for other languages: plain functions and structures, which a header in C declares.
//!
//! Plugin authors never use this crate: they write against `modelzoo-plugin-api`. `ABI.md` says the same in words.
#![deny(missing_docs)]

mod buffer;
pub mod c;
mod export;
mod host;
mod model;
mod root;

pub use abi_stable;
pub use buffer::{BufferView, Plain, Reply, ReplyBuffer, Request};
pub use host::{HostServices, RawServices};
pub use model::{ModelFunctions, ModelFunctionsRef, ModelHandle, RawModel};
pub use root::{CallPlugin, Describe, DownloadModel, LoadModel, PluginRoot, PluginRootRef};

use abi_stable::std_types::{RResult, RVec};

/// What a call gives back: its value, or an error as a MessagePack map (see `modelzoo-plugin-api`'s `Error`).
pub type AbiResult<T> = RResult<T, RVec<u8>>;
