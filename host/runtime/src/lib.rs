//! Building plugins, loading them, and running them in worker processes.
#![deny(missing_docs)]

mod artifact;
mod error;
mod library;
mod runner;

pub use artifact::Artifact;
pub use error::RuntimeError;
pub use library::LibraryError;
pub use runner::{DefaultServices, HostServices, Isolation, LoadedModel, PluginRunner};
