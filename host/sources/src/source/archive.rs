//! Sources in archives.
use super::{
    ResolveOptions, SourceError,
    remote::{FoundTree, stored},
};
use crate::{
    archive::{ArchiveError, ArchiveFormat, ArchiveLimits, extract},
    download::Request,
    git::Commit,
    store::{CommitRecord, Store, StoreError, TREE},
};
use modelzoo_base::Sha256Digest;
use std::path::{Path, PathBuf};

/// The source in the archive at `url`. An archive that the store has is not downloaded again, unless asked.
pub(super) fn resolve_url(url: &str, options: &ResolveOptions<'_>) -> Result<FoundTree, SourceError> {
    let ResolveOptions { store, access, .. } = *options;
    let is_offline = access.downloader.is_offline();
    if (is_offline || !options.refresh)
        && let Some(record) = store.revision_record(url, "")
        && let Some(found) = known(store, url, record.commit)?
        && (is_offline || found.bundle.is_none())
    {
        return Ok(found);
    }
    if is_offline {
        return Err(SourceError::Offline {
            reference: url.to_owned(),
        });
    }
    let path = url.split('?').next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    // The same place each time, so that a download that was killed goes on.
    let folder = store
        .temporary_dir()
        .join(format!("download-{}", Sha256Digest::of(url).short()));
    let request = Request {
        urls: vec![url.to_owned()],
        sha256: None,
        size: None,
        destination: folder.join(name),
    };
    let downloaded = access
        .downloader
        .fetch(&request, access.observer, access.cancellation)?;
    let found = resolve_content(url, &downloaded.path, downloaded.sha256, store);
    // Whatever is in it: it came whole, so there is nothing that a later download would go on with.
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        tracing::debug!("cannot delete {}: {error}", folder.display());
    }
    let found = found?;
    let commit = Commit::by_id(downloaded.sha256.to_string());
    store.record_revision(url, "", &commit)?;
    Ok(FoundTree {
        fetched: true,
        ..found
    })
}

/// The source in an archive on this machine; `path` is as the user wrote it, `file` absolute.
pub(super) fn resolve_file(path: &Path, file: &Path, store: &Store) -> Result<FoundTree, SourceError> {
    if ArchiveFormat::of_path(file).is_none() {
        return Err(SourceError::NotAFolder {
            path: path.to_owned(),
        });
    }
    let sha256 = Sha256Digest::of_file(file).map_err(SourceError::read(file))?;
    resolve_content(&file.to_string_lossy(), file, sha256, store)
}

/// The files in an archive, extracted into the store unless they are there.
fn resolve_content(
    identity: &str,
    file: &Path,
    sha256: Sha256Digest,
    store: &Store,
) -> Result<FoundTree, SourceError> {
    // The files that an archive has are in the archive, whatever a bundle says.
    if let Some(found) = known(store, identity, sha256.to_string())?
        && found.bundle.is_none()
    {
        return Ok(found);
    }
    let format = ArchiveFormat::of_path(file).ok_or_else(|| ArchiveError::UnknownFormat {
        path: identity.into(),
    })?;
    let staging = store.stage()?;
    let extracted = extract(
        file,
        format,
        &staging.path().join(TREE),
        &ArchiveLimits::default(),
    )
    .map_err(|error| error.of(identity))?;
    let root = store.publish_source(&staging, &extracted.tree_hash)?;
    store.record_commit(&CommitRecord {
        identity: identity.to_owned(),
        commit: sha256.to_string(),
        tree_hash: extracted.tree_hash,
        committed_at: None,
        omissions: Vec::new(),
        bundle: None,
    })?;
    Ok(FoundTree {
        root: only_folder(root)?,
        tree_hash: extracted.tree_hash,
        commit: None,
        omissions: Vec::new(),
        subdirectory: None,
        fetched: false,
        bundle: None,
    })
}

fn known(store: &Store, identity: &str, sha256: String) -> Result<Option<FoundTree>, SourceError> {
    let commit = Commit::by_id(sha256);
    let Some(found) = stored(store, identity, &commit)? else {
        return Ok(None);
    };
    Ok(Some(FoundTree {
        root: only_folder(found.root)?,
        commit: None,
        ..found
    }))
}

/// Most archives hold one folder with everything in it: that is the source's root.
pub(super) fn only_folder(root: PathBuf) -> Result<PathBuf, StoreError> {
    let failed = StoreError::read(&root);
    let mut entries = fs_err::read_dir(&root).map_err(&failed)?;
    match (entries.next().transpose().map_err(&failed)?, entries.next()) {
        (Some(only), None) if only.file_type().map_err(&failed)?.is_dir() => Ok(only.path()),
        _ => Ok(root),
    }
}
