//! Folders on this machine, used where they are.
use super::{
    SourceError,
    files::{files_of, hash_of},
};
use crate::{
    manifest::MANIFEST_FILE,
    store::{Store, stamp_of},
    tree::{EntryKind, TreeHasher},
};
use modelzoo_base::Sha256Digest;
use std::path::Path;

/// The hash of the source in a local folder: of the files that others would get of it. Files that were not touched since
/// they were last hashed are not read again.
pub(super) fn tree_hash(root: &Path, store: &Store) -> Result<Sha256Digest, SourceError> {
    let files = files_of(root)?;
    let places = files
        .iter()
        .map(|file| (file.path.as_str(), file.place.as_path()));
    let now = stamp_of(places).map_err(SourceError::read(root))?;
    if let Some(now) = &now
        && let Some(known) = store.local_hash(root, now)
    {
        return Ok(known);
    }
    let hash = hash_of(&files)?;
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
