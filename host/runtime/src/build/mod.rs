//! From the source of a plugin to an artifact.
//!
//! In two phases: fetching, which may use the network and runs nobody's code, and building, which runs the code of the
//! plugin's crates and has no network to ask cargo for. What goes into an artifact is named by its key, so that an
//! artifact that is there is never built again.

mod builder;
mod cargo;
mod environment;
mod error;
mod key;
mod lockfile;
mod manifest;
mod phases;
mod profile;
mod publish;
mod request;
mod sdk;
mod toolchain;
mod tree;

pub use builder::{Builder, BuiltPlugin};
pub use error::BuildError;
pub use phases::BuildCrate;
pub use publish::ArtifactRecord;
pub use request::BuildRequest;
