//! Where models come from: references, manifests, fetching, the store, the lock and trust.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod atomic;
pub mod config;
pub mod download;
pub mod lock;
pub mod manifest;
pub mod reference;
pub mod sha256;
mod suggest;

pub use reference::SourceRef;
pub use sha256::Sha256Digest;
