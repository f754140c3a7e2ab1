//! Bundles: sources, and all that they need to run, in one file for a machine without network.
//!
//! A bundle is a tar archive, not compressed, whose bytes depend on what is in it alone. Its first entry is the index
//! `index-<sha256>.json`, named by the hash of its text ([`Index`]); the others are its pieces, `pieces/<sha256>`, sorted by
//! name. The index says of each piece how large it is and what it is for:
//!
//! | a piece | holds | goes to |
//! |---|---|---|
//! | a tree | all files of a source, as a tar archive; its content has the hash that the source has | the store's sources |
//! | a content | weights whose hash the source knows, or the archive of a plugin that its author compiled | the store's weights |
//! | a file of a model | weights whose hash nobody knew before they were downloaded | the folder of the model |
//! | a crate | a package of crates.io, as that has it | the store's crates, for builds |
//!
//! What a bundle says of a source is the word of whoever made it: without network nobody can tell which files a commit has.
//! So it is noted with the bundle's hash ([`CommitRecord::bundle`](crate::store::CommitRecord)), counts where the network may
//! not be used, and gives no consent.
mod error;
mod index;
mod read;
#[cfg(test)]
mod tests;
mod unpacked;
mod write;

pub use error::BundleError;
pub use index::{BundledCrate, BundledModel, BundledPrebuilt, BundledRevision, BundledSource, Index, Piece};
pub use read::Bundle;
pub use unpacked::UnpackedBundle;
pub use write::{BundleWriter, WrittenBundle};
