//! Plugins that their authors compiled: packing one into an archive for a release, and taking one out of such an archive.
//!
//! The archive is a `.tar.gz` with one folder, named after the archive, in which are
//!
//! | file | is |
//! |---|---|
//! | `plugin.so` (`.dylib`, `.dll`) | the library |
//! | `artifact.json` | what it is, and how it was compiled: an [`ArtifactRecord`](crate::ArtifactRecord), whose `source` is the crate |
//! | `manifest.json`, `LICENSE...` | those of the source |
//! | `SHA256SUMS` | the hashes of all of these, as `sha256sum --check` reads them |
//!
//! Who vouches for an archive is none of this module's business: it is asked once that is known.

mod error;
mod install;
mod pack;

pub use error::UnfitPrebuilt;
pub use install::{Installation, PrebuiltStore};
pub use pack::{PackedPlugin, pack};

/// What a plugin with these crate features is compiled for beside the processor: `cuda`, `metal` or `cpu`.
pub fn variant_of(features: &[String]) -> &'static str {
    let has = |name: &str| features.iter().any(|feature| feature == name);
    if has("cuda") {
        "cuda"
    } else if has("metal") {
        "metal"
    } else {
        "cpu"
    }
}
