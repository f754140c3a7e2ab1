//! Plugins that their authors compiled: which ones a source offers, and getting one.
//!
//! An archive is taken only where something that is pinned with the source says what it must be: its hash in the manifest
//! or in the lock, or a signature by a key that the manifest, or the user's configuration, names. What a release says of
//! itself is no such thing, as whoever can replace an archive there can replace its hash as well.
mod error;
mod fetch;
mod offer;
mod place;

pub use error::PrebuiltError;
pub use fetch::{FetchedPrebuilt, fetch};
pub use offer::{Offer, Offered, Proof};
pub use place::file_name;
