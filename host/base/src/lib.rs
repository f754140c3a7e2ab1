//! The ground that every crate of the host stands on. It knows nothing of models.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod artifact;
pub mod error;
mod sandbox;

pub use sandbox::{Sandbox, UnknownSandbox};
