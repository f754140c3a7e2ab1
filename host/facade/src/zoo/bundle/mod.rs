//! Bundles: models for machines without network.

mod load;
mod save;

pub use load::{LoadBundlePlan, LoadedBundle};
pub use save::SaveBundlePlan;
