//! What says that a compiled plugin is the right one.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What says that the archive of a compiled plugin is the right one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Voucher {
    /// The manifest has its hash.
    Manifest,
    /// The lock has its hash.
    Lock,
    /// It bears a signature by a minisign key.
    Key {
        /// The public key.
        key: String,
    },
}

impl fmt::Display for Voucher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => formatter.write_str("the manifest"),
            Self::Lock => formatter.write_str("the lock"),
            Self::Key { key } => write!(formatter, "the key {key}"),
        }
    }
}
