//! Folders on this machine, used where they are.
use std::path::Path;

use super::SourceError;
use crate::Sha256Digest;
use crate::tree::hash_folder;

/// The hash of a local folder: of all files but Git's own and what Cargo built.
pub(super) fn tree_hash(root: &Path) -> Result<Sha256Digest, SourceError> {
    hash_folder(root, &is_ignored).map_err(|source| SourceError::Read {
        path: root.to_owned(),
        source,
    })
}

fn is_ignored(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == ".git") || is_build_folder(folder)
}

/// Whether a folder is the target folder of the crate or workspace that it lies in.
pub(super) fn is_build_folder(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "target")
        && folder
            .parent()
            .is_some_and(|parent| parent.join("Cargo.toml").is_file())
}
