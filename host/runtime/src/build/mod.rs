//! From the source of a plugin to an artifact.
//!
//! In two phases: fetching, which may use the network and runs nobody's code, and building, which runs the code of the
//! plugin's crates, shut in and without network. What goes into an artifact is named by its key, so that an artifact that
//! is there is never built again.

mod builder;
mod cargo;
mod comparison;
mod compile;
mod crate_files;
mod crate_folder;
mod dependencies;
mod environment;
mod error;
mod fetch;
mod key;
mod lockfile;
mod manifest;
mod places;
mod profile;
mod request;
mod scratch;
mod sdk;
mod shelter;
mod target;
mod toolchain;
mod tree;

pub use builder::Builder;
pub use comparison::{Ingredient, Mismatch};
pub use crate_files::CrateFile;
pub use error::BuildError;
pub use fetch::BuildCrate;
pub use request::BuildRequest;
pub use sdk::{SdkCrate, unpack as unpack_sdk};
