//! Plugins that are ready to be opened: what is known of them, and the folder in which they are kept.

mod difference;
mod error;
mod library;
mod linkage;
mod publish;
mod record;

pub use difference::{Difference, SectionDifference, SymbolDifference};
pub use error::ArtifactError;
pub use library::Artifact;
pub use linkage::Linkage;
pub(crate) use publish::{find, publish};
pub(crate) use record::contract;
pub use record::{ArtifactRecord, BuiltPlugin, PrebuiltRecord};
