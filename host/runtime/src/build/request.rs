//! What to build.

use modelzoo_base::Sandbox;
use std::{collections::BTreeSet, path::PathBuf};

/// What to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRequest {
    /// The source: a folder with a Cargo.toml. It is only read.
    pub source: PathBuf,
    /// The paths, relative and with `/`, of what in that folder belongs to the source; `None` where all of it does.
    pub files: Option<BTreeSet<String>>,
    /// A hash over all files of the repository, archive or folder that the source is in.
    pub source_hash: String,
    /// Where in these files the source is, with `/`; empty where it is all of them. A repository may have several.
    pub folder: String,
    /// The source's identity, however it was spelt: `github.com/user/repo`, an absolute path.
    pub identity: String,
    /// The source's commit, where it has one.
    pub commit: Option<String>,
    /// Crate features to turn on: `cuda`, `metal`.
    pub features: Vec<String>,
    /// Whether it is to run on other machines as well: without the instructions that only this one's processor has.
    pub is_portable: bool,
    /// Use no network: all crates must have been fetched before.
    pub is_offline: bool,
    /// The folders of crates that came with the source, each as cargo finds it in a folder of crates: what is not among
    /// those that cargo has fetched is taken from there. They lie beside each other.
    pub crates: Vec<PathBuf>,
    /// Whether what runs in the build is shut in.
    pub sandbox: Sandbox,
}

impl BuildRequest {
    /// A request to build the crate in the folder `source`.
    pub fn new(
        source: impl Into<PathBuf>,
        source_hash: impl Into<String>,
        identity: impl Into<String>,
    ) -> Self {
        Self {
            source: source.into(),
            files: None,
            source_hash: source_hash.into(),
            folder: String::new(),
            identity: identity.into(),
            commit: None,
            features: Vec::new(),
            is_portable: false,
            is_offline: false,
            crates: Vec::new(),
            sandbox: Sandbox::default(),
        }
    }
}
