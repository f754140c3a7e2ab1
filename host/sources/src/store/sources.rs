//! Trees of sources in the store.
use super::{Staging, Store, StoreError, stamp::stamp};
use crate::tree::hash_folder;
use modelzoo_base::{Sha256Digest, file};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name of a source's files in its entry, and in a [`Staging`] folder that becomes one.
pub(crate) const TREE: &str = "tree";
/// The marker of a whole entry.
pub(super) const MARKER: &str = "source.json";

/// What is noted beside a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    tree_hash: Sha256Digest,
    /// The stamp of the tree when its content was last known to have the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<Sha256Digest>,
}

impl Store {
    /// The files of the source with this tree hash, if they are there and unchanged.
    ///
    /// Files that were not touched since they were last hashed are not read again.
    ///
    /// # Errors
    /// The files cannot be read, or were changed.
    pub fn source_tree(&self, tree_hash: &Sha256Digest) -> Result<Option<PathBuf>, StoreError> {
        let entry = self.source_entry(tree_hash);
        let tree = entry.join(TREE);
        let marker_path = entry.join(MARKER);
        let Ok(text) = std::fs::read(&marker_path) else {
            return Ok(None);
        };
        let failed = StoreError::read(&tree);
        let now = stamp(&tree).map_err(&failed)?;
        let known = serde_json::from_slice::<Marker>(&text)
            .ok()
            .and_then(|marker| marker.stamp);
        if now.is_some() && now == known {
            self.mark_used(&marker_path);
            return Ok(Some(tree));
        }
        let found = hash_folder(&tree, &|_| false).map_err(failed)?;
        if found != *tree_hash {
            return Err(StoreError::Changed {
                path: tree,
                expected: *tree_hash,
                found,
            });
        }
        let marker = Marker {
            tree_hash: *tree_hash,
            stamp: now,
        };
        if let Err(error) = write_marker(&marker_path, &marker) {
            // Without the stamp the next use hashes again, no more.
            tracing::debug!("{error}");
        }
        Ok(Some(tree))
    }

    /// Publishes the folder `tree` of `staging`, whose content has the hash `tree_hash`, and gives its new place.
    ///
    /// # Errors
    /// The store cannot be written to; or it holds a tree of this name that was changed and cannot be moved away.
    pub fn publish_source(&self, staging: &Staging, tree_hash: &Sha256Digest) -> Result<PathBuf, StoreError> {
        const ENTRY: &str = "entry";
        let new_entry = staging.path().join(ENTRY);
        let failed = StoreError::write(&new_entry);
        fs_err::create_dir(&new_entry).map_err(&failed)?;
        fs_err::rename(staging.path().join(TREE), new_entry.join(TREE)).map_err(&failed)?;
        // The files are new, so no stamp of theirs would be settled.
        write_marker(
            &new_entry.join(MARKER),
            &Marker {
                tree_hash: *tree_hash,
                stamp: None,
            },
        )?;
        let entry = self.source_entry(tree_hash);
        if !staging.publish(ENTRY, &entry)? && !matches!(self.source_tree(tree_hash), Ok(Some(_))) {
            // What is there is broken: it makes way, and what still uses it keeps its open files.
            let aside = staging.path().join("aside");
            fs_err::rename(&entry, &aside).map_err(StoreError::write(&entry))?;
            staging.publish(ENTRY, &entry)?;
        }
        Ok(entry.join(TREE))
    }

    /// Where the files of the source with this tree hash are, if they are there; they are not looked at.
    pub fn tree_path(&self, tree_hash: &Sha256Digest) -> PathBuf {
        self.source_entry(tree_hash).join(TREE)
    }

    pub(super) fn source_entry(&self, tree_hash: &Sha256Digest) -> PathBuf {
        self.sources_dir().join(tree_hash.to_string())
    }
}

fn write_marker(path: &Path, marker: &Marker) -> Result<(), StoreError> {
    let failed = StoreError::write(path);
    let text = serde_json::to_vec_pretty(marker).map_err(|error| failed(error.into()))?;
    file::write(path, text).map_err(failed)
}
