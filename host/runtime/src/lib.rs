//! Building plugins, loading them, and running them in worker processes.
#![deny(missing_docs)]

mod artifact;
mod build;
mod error;
mod library;
mod plugin_runner;
mod runner;
#[cfg(target_os = "linux")]
mod worker;
#[cfg(not(target_os = "linux"))]
#[path = "worker/unsupported.rs"]
mod worker;

pub use artifact::Artifact;
pub use build::{ArtifactRecord, BuildError, BuildProgress, BuildRequest, Builder, BuiltPlugin};
pub use error::RuntimeError;
pub use library::LibraryError;
pub use plugin_runner::{Isolation, PluginRunner};
pub use runner::{DefaultServices, Frames, HostServices, Items, LoadedModel};
pub use worker::run_worker_if_asked;
