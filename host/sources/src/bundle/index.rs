//! What is in a bundle.
use super::BundleError;
use crate::{SourceRef, git::Omission, reference::Location, tree::refused_name};
use modelzoo_base::Sha256Digest;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The version that is written, and the only one so far.
pub(super) const VERSION: u32 = 1;

/// A larger index is none.
pub(super) const LARGEST_INDEX: u64 = 64 << 20;

/// What is in a bundle. Everything in it is sorted, and nothing tells of the machine or the time that it was made on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The version of the format.
    pub modelzoo_bundle: u32,
    /// The sources.
    pub sources: Vec<BundledSource>,
    /// Weights whose hash their source knows.
    pub contents: BTreeSet<Sha256Digest>,
    /// The archives of plugins that their authors compiled.
    pub prebuilt: Vec<BundledPrebuilt>,
    /// What the sources resolved to: the text of a lock file.
    pub lock: String,
    /// All pieces, by their hashes.
    pub pieces: Vec<Piece>,
}

/// A source in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledSource {
    /// The source as it is asked for.
    pub reference: SourceRef,
    /// The full commit id; the SHA-256 of the file for an archive.
    pub commit: String,
    /// When the commit was made, in seconds since 1970, as its author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<i64>,
    /// What the commit refers to and the tree does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omissions: Vec<Omission>,
    /// The revisions that mean this commit.
    pub revisions: Vec<BundledRevision>,
    /// The hash of the tree.
    pub tree_hash: Sha256Digest,
    /// The piece with the tree: a tar archive of all of its files.
    pub tree: Sha256Digest,
    /// The models whose files are in the bundle as they were downloaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<BundledModel>,
    /// What its plugins are built of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crates: Vec<BundledCrate>,
}

/// What a revision means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledRevision {
    /// The revision; empty for the default one.
    pub revision: String,
    /// The full name of the ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// The folder that turned out to be part of the revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdirectory: Option<String>,
}

/// The weights of a model of which nobody knew the hash before they were downloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledModel {
    /// `name[@version]`.
    pub name: String,
    /// Its files by their path in its folder.
    pub files: BTreeMap<String, Sha256Digest>,
}

/// The archive of a plugin that its author compiled. What vouches for it is no part of the bundle: it is asked for when
/// the plugin is taken, as for one that is downloaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledPrebuilt {
    /// Where it was.
    pub url: String,
    /// The piece.
    pub sha256: Sha256Digest,
    /// The signature that was beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// A package of crates.io.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledCrate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The piece: the file `NAME-VERSION.crate`.
    pub sha256: Sha256Digest,
}

/// A piece of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// The hash of its content, which names it.
    pub sha256: Sha256Digest,
    /// Its size.
    pub size_bytes: u64,
}

/// What is looked at before the rest, which another version may have changed.
#[derive(Deserialize)]
struct VersionOnly {
    modelzoo_bundle: u32,
}

impl BundledSource {
    /// What the store calls the repository or archive; `None` for what is on one machine alone.
    pub fn identity(&self) -> Option<String> {
        match self.reference.location() {
            Location::Git(repository) => Some(repository.identity()),
            Location::Archive(url) => Some(url.clone()),
            Location::Path(_) => None,
        }
    }
}

impl BundledCrate {
    /// What the store calls it.
    pub fn folder_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    fn has_name(&self) -> bool {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        !self.name.is_empty() && self.name.len() <= 64 && self.name.chars().all(is_plain)
    }
}

impl Index {
    /// Reads the text of the index of the bundle `path`.
    pub(super) fn parse(text: &[u8], path: &Path) -> Result<Self, BundleError> {
        let damaged = |error: serde_json::Error| BundleError::Damaged {
            path: path.to_owned(),
            reason: format!("its index: {error}"),
        };
        let version = serde_json::from_slice::<VersionOnly>(text)
            .map_err(damaged)?
            .modelzoo_bundle;
        if version > VERSION {
            return Err(BundleError::Newer {
                path: path.to_owned(),
                version,
            });
        }
        let index: Self = serde_json::from_slice(text).map_err(damaged)?;
        match index.problem() {
            Some(reason) => Err(BundleError::Refused {
                path: path.to_owned(),
                reason,
            }),
            None => Ok(index),
        }
    }

    /// The bytes of all pieces.
    pub fn size_bytes(&self) -> u64 {
        self.pieces
            .iter()
            .fold(0, |sum, piece| sum.saturating_add(piece.size_bytes))
    }

    /// The pieces that are needed, each once.
    pub(super) fn needed(&self) -> BTreeSet<Sha256Digest> {
        let models = self.sources.iter().flat_map(|source| &source.models);
        let crates = self.sources.iter().flat_map(|source| &source.crates);
        let trees = self.sources.iter().map(|source| source.tree);
        trees
            .chain(models.flat_map(|model| model.files.values().copied()))
            .chain(self.contents.iter().copied())
            .chain(self.prebuilt.iter().map(|prebuilt| prebuilt.sha256))
            .chain(crates.map(|one| one.sha256))
            .collect()
    }

    /// What must not be in an index.
    fn problem(&self) -> Option<String> {
        let named = Vec::from_iter(self.pieces.iter().map(|piece| piece.sha256));
        if named != Vec::from_iter(self.needed()) {
            return Some("its list of pieces is not that of what is in it".to_owned());
        }
        for source in &self.sources {
            if source.identity().is_none() {
                return Some(format!("{} is a path of another machine", source.reference));
            }
            if !matches!(source.commit.len(), 40 | 64)
                || !source.commit.bytes().all(|digit| digit.is_ascii_hexdigit())
            {
                return Some(format!("`{}` is no full commit id", source.commit.escape_debug()));
            }
            let files = source.models.iter().flat_map(|model| model.files.keys());
            for file in files {
                if let Some(reason) = file.split('/').find_map(refused_name) {
                    return Some(format!(
                        "its file `{}` cannot be written: {reason}",
                        file.escape_debug()
                    ));
                }
            }
        }
        let mut crates = self.sources.iter().flat_map(|source| &source.crates);
        crates
            .find(|one| !one.has_name())
            .map(|one| format!("`{}` is no name of a crate", one.name.escape_debug()))
    }
}
