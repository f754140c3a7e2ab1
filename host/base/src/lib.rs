//! The ground that every crate of the host stands on. It knows nothing of models.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod artifact;
pub mod digest;
pub mod error;
pub mod file;
pub mod memory;
pub mod process;
pub mod progress;
mod sandbox;
pub mod suggest;
mod voucher;

pub use digest::Sha256Digest;
pub use sandbox::{Sandbox, UnknownSandbox};
pub use voucher::Voucher;
