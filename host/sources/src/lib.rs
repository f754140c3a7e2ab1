//! Where models come from: references, manifests, fetching, the store, the lock and trust.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod archive;
pub mod atomic;
pub mod config;
pub mod doctor;
pub mod download;
pub mod git;
mod identity;
pub mod lock;
pub mod manifest;
pub mod reference;
pub mod sha256;
pub mod source;
pub mod store;
mod suggest;
#[cfg(test)]
mod testing;
mod tree;
pub mod trust;
pub mod weights;

pub use reference::SourceRef;
pub use sha256::Sha256Digest;
pub use source::{ResolveOptions, ResolvedSource, SourceError, resolve};
pub use store::Store;
