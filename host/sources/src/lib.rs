//! Where models come from: references, manifests, fetching, the store, the lock and trust.
//!
//! From a reference to a model that can be looked at:
//!
//! ```
//! use modelzoo_base::progress::{Cancellation, NoObserver};
//! use modelzoo_sources::{
//!     Access, ResolveOptions, Store,
//!     config::Config,
//!     download::Downloader,
//!     reference::Forges,
//!     resolve,
//!     registry::{Catalog, Registry},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (store_folder, data_folder) = (folder.path().join("store"), folder.path().join("data"));
//! # let spelling = folder.path().join("source").display().to_string();
//! # std::fs::create_dir(&spelling)?;
//! # std::fs::write(format!("{spelling}/manifest.json"), r#"{"models": [{"base_name": "tiny", "version": "1.0"}]}"#)?;
//! let config = Config::default();
//! let store = Store::open(store_folder)?;
//! let options = ResolveOptions {
//!     store: &store,
//!     access: Access {
//!         downloader: &Downloader::new(&config, false),
//!         observer: &NoObserver,
//!         cancellation: &Cancellation::default(),
//!     },
//!     refresh: false,
//! };
//! // `user/repo@v1`, `https://...`, `./folder`
//! let reference = Forges::with_enterprise_hosts(config.github.hosts.clone()).parse(&spelling)?;
//! let source = resolve(&reference, &options)?;
//! let (manifest, model) = source.select(None)?;
//! assert_eq!(model.name(), "tiny@1.0");
//! assert!(!manifest.has_plugin(), "there is no Cargo.toml to build");
//!
//! // Once it is registered, the model is known by its name.
//! let registry = Registry::new(data_folder);
//! registry.register(&source)?;
//! let catalog = Catalog::load(&registry, &config.model_zoo_manifest_paths)?;
//! assert_eq!(catalog.find("tiny")?.source().identity, source.identity);
//! # Ok(())
//! # }
//! ```
// libgit2's list of transports is global: see `git::transport`.
#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod access;
pub mod archive;
pub mod bundle;
pub mod config;
pub mod doctor;
pub mod download;
pub mod git;
mod identity;
pub mod index;
pub mod lock;
pub mod manifest;
pub mod prebuilt;
pub mod reference;
pub mod registry;
pub mod source;
pub mod store;
#[cfg(test)]
mod testing;
mod tree;
pub mod trust;
pub mod weights;

pub use access::Access;
pub use reference::SourceRef;
pub use source::{ResolveOptions, ResolvedSource, SourceError, resolve};
pub use store::Store;
