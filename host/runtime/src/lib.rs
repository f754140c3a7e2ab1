//! Building plugins, loading them, and running them in worker processes.
//!
//! [`Builder`] makes an [`Artifact`] from the source of a plugin, [`PluginRunner`] opens it, in a worker process or in
//! this one, and gives a [`LoadedModel`]; a [`BuiltInPlugin`] is linked into the program, and runs in the same way. The
//! crate knows files and nothing of where they come from: references, downloads and the store are the business of the
//! crates beside it.
//!
//! ```no_run
//! use modelzoo_base::progress::Event;
//! use modelzoo_plugin_api::{Image, LoadOptions, PredictOptions};
//! use modelzoo_runtime::{BuildRequest, Builder, DefaultServices, PluginRunner};
//! use std::{path::Path, sync::Arc};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // A worker is this very program, started again: this must come first.
//!     modelzoo_runtime::run_worker_if_asked(&[]);
//!
//!     let builder = Builder::new("cache/build", "cache/artifacts");
//!     let request = BuildRequest::new("plugins/brightness", "a hash of its files", "plugins/brightness");
//!     let plugin = builder.build(&request, &|event: Event<'_>| eprintln!("{event:?}"))?;
//!
//!     let runner = PluginRunner::new(plugin.artifact, Arc::new(DefaultServices));
//!     let model = runner.load_model("brightness", Path::new("cache/weights"), LoadOptions::default())?;
//!     let pixels = vec![255; 640 * 480 * 3];
//!     let image = Image::new(640, 480, &pixels).map_err(|error| error.to_string())?;
//!     for output in model.predict(&[image], &PredictOptions::default())? {
//!         match output {
//!             Ok(output) => println!("{output:?}"),
//!             Err(error) => eprintln!("this picture failed: {error}"),
//!         }
//!     }
//!     Ok(())
//! }
//! ```
#![deny(missing_docs)]

mod artifact;
mod build;
mod error;
mod library;
mod limits;
mod plugin_code;
mod plugin_runner;
mod prebuilt;
mod runner;
#[cfg(target_os = "linux")]
mod shared_memory;
#[cfg(not(target_os = "linux"))]
#[path = "shared_memory_unsupported.rs"]
mod shared_memory;
#[cfg(target_os = "linux")]
mod worker;
#[cfg(not(target_os = "linux"))]
#[path = "worker/unsupported.rs"]
mod worker;

pub use artifact::{
    Artifact, ArtifactError, ArtifactRecord, BuiltPlugin, Difference, Linkage, PrebuiltRecord,
    SectionDifference, SymbolDifference,
};
pub use build::{
    BuildCrate, BuildError, BuildRequest, Builder, CrateFile, Ingredient, Mismatch, SdkCrate, unpack_sdk,
};
pub use error::{CallError, RuntimeError, WorkerDeath};
pub use library::LibraryError;
pub use modelzoo_base::Sandbox;
pub use modelzoo_sandbox::{Conduct, SandboxLayer, SandboxReport, sandbox_support};
pub use plugin_code::{BuiltInPlugin, PluginCode};
pub use plugin_runner::{Isolation, PluginRunner};
pub use prebuilt::{
    Installation, PackedPlugin, PrebuiltStore, UnfitPrebuilt, pack as pack_plugin, variant_of,
};
pub use runner::{DefaultServices, Frames, HostServices, Items, LoadedModel};
pub use shared_memory::{SharedBlock, SharedMemory};
pub use worker::run_worker_if_asked;

/// The target triple of this host, for which plugins are built.
pub const TARGET: &str = env!("MODELZOO_TARGET");
