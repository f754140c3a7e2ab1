//! Folders on this machine, used where they are.
use super::SourceError;
use crate::{
    manifest::MANIFEST_FILE,
    store::{Store, stamp},
    tree::{EntryKind, TreeHasher, hash_folder},
};
use modelzoo_base::Sha256Digest;
use std::path::Path;

/// The hash of a local folder: of all files but Git's own and what Cargo built. Files that were not touched since they
/// were last hashed are not read again.
pub(super) fn tree_hash(root: &Path, store: &Store) -> Result<Sha256Digest, SourceError> {
    let failed = SourceError::read(root);
    let now = stamp(root, &is_ignored).map_err(&failed)?;
    if let Some(now) = &now
        && let Some(known) = store.local_hash(root, now)
    {
        return Ok(known);
    }
    let hash = hash_folder(root, &is_ignored).map_err(failed)?;
    if let Some(now) = now {
        store.record_local_hash(root, now, hash);
    }
    Ok(hash)
}

/// The hash of a tree that holds nothing but this manifest. The folder of a manifest without a plugin may be any,
/// a home folder as well: what else is in it is no part of the source.
pub(super) fn manifest_hash(manifest: &Path) -> Result<Sha256Digest, SourceError> {
    let digest = Sha256Digest::of_file(manifest).map_err(SourceError::read(manifest))?;
    let mut hasher = TreeHasher::default();
    hasher.add(MANIFEST_FILE.to_owned(), EntryKind::File, digest);
    Ok(hasher.finish())
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
