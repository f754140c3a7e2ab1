//! The lock: what every source and model resolved to, by content.
//!
//! `modelzoo.lock` is TOML, sorted, and meant to be committed beside what uses the models. It is found like Cargo's: in
//! the current folder or the nearest one above it. A source that is in it is used at its commit, whatever its branch or
//! tag has become; content that differs from the locked one is refused. Where there is no lock file, runs still record
//! what they resolved, so that `modelzoo lock` can write it.
mod change;
mod error;
mod file;
mod format;

use std::{collections::BTreeMap, fmt};

pub use change::Change;
pub use error::{ContentMismatch, LockError, MovedTag};
pub use file::{LockFile, LockPlace, RecordedLock};

use crate::SourceRef;
use modelzoo_base::Sha256Digest;

/// The lock file's name.
pub const FILE_NAME: &str = "modelzoo.lock";

/// What a lock says, sorted by source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The sources by what was asked for.
    pub sources: BTreeMap<SourceKey, LockedSource>,
}

/// What was asked for: a source at a revision. One source may be locked at several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey {
    /// The source's [identity](SourceRef::identity).
    pub identity: String,
    /// The branch, tag or commit as it was asked for; `None` for the default branch, archives and folders.
    pub revision: Option<String>,
}

impl SourceKey {
    /// The key of what `reference` asks for.
    pub fn of(reference: &SourceRef) -> Self {
        Self {
            identity: reference.identity(),
            revision: reference.revision().as_str().map(str::to_owned),
        }
    }
}

impl fmt::Display for SourceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(formatter, "{} at {revision}", self.identity),
            None => formatter.write_str(&self.identity),
        }
    }
}

/// What a source resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedSource {
    /// The full commit id; archives have none.
    pub commit: Option<String>,
    /// The hash of the source's tree.
    pub tree: Sha256Digest,
    /// The hash of the plugin's `Cargo.lock`, where it has one.
    pub cargo_lock: Option<Sha256Digest>,
    /// The version of the plugin that runs its models, where that is built in.
    pub built_in: Option<String>,
    /// The built plugin by target: the triple, and whatever else tells builds of one source apart.
    pub artifacts: BTreeMap<String, Sha256Digest>,
    /// The archives of prebuilt plugins that were taken instead of building, by target and variant: `x86_64-unknown-linux-gnu cpu`.
    pub prebuilt: BTreeMap<String, Sha256Digest>,
    /// The files of each model (`name[@version]`) by their path in the model's folder.
    pub weights: BTreeMap<String, BTreeMap<String, Sha256Digest>>,
}

impl LockedSource {
    /// A source of which nothing is built or downloaded yet.
    pub fn new(commit: Option<String>, tree: Sha256Digest, cargo_lock: Option<Sha256Digest>) -> Self {
        Self {
            commit,
            tree,
            cargo_lock,
            built_in: None,
            artifacts: BTreeMap::new(),
            prebuilt: BTreeMap::new(),
            weights: BTreeMap::new(),
        }
    }
}

/// What the lock calls a prebuilt plugin of a source.
fn prebuilt_name(target: &str, variant: &str) -> String {
    format!("{target} {variant}")
}

#[cfg(test)]
mod tests;
