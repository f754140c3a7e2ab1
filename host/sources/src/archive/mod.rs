//! Archives: extracting what strangers packed, without harm.
//!
//! Every entry lands inside the destination or the whole archive is refused, with the entry's name: absolute paths,
//! `..`, links that lead out, devices and anything that Git would not check out either. Limits on the number of
//! entries, on their depth and on how much an archive may swell stop bombs while they unpack.
mod append;
mod error;
mod extract;
mod format;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use append::{append, header};
pub use error::ArchiveError;
pub use extract::extract;
pub use format::ArchiveFormat;
pub use writer::{ArchiveLimits, Extracted};
