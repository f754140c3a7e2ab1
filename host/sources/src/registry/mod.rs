//! The zoo: models by name, over all sources that a user has registered and the manifests that he configured.
//!
//! A [`Registry`] remembers sources with their manifests, so that listing needs neither the network nor the sources'
//! files. A [`Catalog`] is all models of all of them at one moment: it lists, filters and finds. [`check_requirements`]
//! says what a model lacks on this machine before anything is downloaded; [`Update`] says what another state of a
//! source would change.
mod catalog;
mod error;
mod machine;
mod register;
mod requirements;
#[cfg(test)]
mod tests;
mod update;

pub use catalog::{Catalog, CatalogModel, ModelFilter};
pub use error::RegistryError;
pub use machine::{Gpu, Machine};
pub use register::{Registry, ZooManifest, ZooSource};
pub use requirements::{Unmet, check_requirements};
pub use update::{FileChange, ModelChange, Update};
