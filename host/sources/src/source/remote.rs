//! Sources in Git repositories.
use super::{ResolveOptions, SourceCommit, SourceError};
use crate::{
    git::{self, Commit, Omission},
    reference::{GitRepository, Revision},
    store::{CommitRecord, RevisionRecord, Store, StoreError, TREE},
};
use modelzoo_base::Sha256Digest;
use std::path::PathBuf;

/// The files of a reference, before a folder in them is chosen.
pub(super) struct FoundTree {
    pub(super) root: PathBuf,
    pub(super) tree_hash: Sha256Digest,
    pub(super) commit: Option<SourceCommit>,
    pub(super) omissions: Vec<Omission>,
    /// The folder that turned out to be part of the revision.
    pub(super) subdirectory: Option<String>,
    pub(super) fetched: bool,
    /// The hash of the bundle that says which files these are, where nothing else does.
    pub(super) bundle: Option<Sha256Digest>,
}

pub(super) fn resolve(
    repository: &GitRepository,
    revision: &Revision,
    options: &ResolveOptions<'_>,
) -> Result<FoundTree, SourceError> {
    let store = options.store;
    let identity = repository.identity();
    let is_offline = options.access.downloader.is_offline();
    if let Some(commit) = lasting(&identity, revision, store)
        && let Some(found) = stored(store, &identity, &commit)?
        && (is_offline || found.bundle.is_none())
    {
        return Ok(found);
    }
    if is_offline {
        return from_store_alone(&identity, revision, store);
    }

    let staging = store.stage()?;
    let have = |commit: &Commit| matches!(stored(store, &identity, commit), Ok(Some(found)) if found.bundle.is_none());
    let fetched = git::fetch(
        repository,
        revision,
        &staging.path().join("git"),
        &options.access,
        &have,
    )?;
    store.record_revision(&identity, revision.as_str().unwrap_or_default(), &fetched.commit)?;
    let Some(objects) = fetched.objects else {
        let gone = || SourceError::Offline {
            reference: format!("{identity}@{}", fetched.commit.id),
        };
        return stored(store, &identity, &fetched.commit)?.ok_or_else(gone);
    };
    let tree = staging.path().join(TREE);
    fs_err::create_dir(&tree).map_err(StoreError::write(&tree))?;
    let checkout = git::check_out(&objects, &fetched.commit.id, &tree)?;
    let root = store.publish_source(&staging, &checkout.tree_hash)?;
    store.record_commit(&CommitRecord {
        identity,
        commit: fetched.commit.id.clone(),
        tree_hash: checkout.tree_hash,
        committed_at: Some(checkout.committed_at),
        omissions: checkout.omissions.clone(),
        bundle: None,
    })?;
    let Commit {
        id,
        ref_name,
        subdirectory,
    } = fetched.commit;
    Ok(FoundTree {
        root,
        tree_hash: checkout.tree_hash,
        commit: Some(SourceCommit {
            id,
            ref_name,
            committed_at: Some(checkout.committed_at),
        }),
        omissions: checkout.omissions,
        subdirectory,
        fetched: true,
        bundle: None,
    })
}

/// The commit of a revision that can mean no other: a commit id, or the beginning of one that was found by no ref.
fn lasting(identity: &str, revision: &Revision, store: &Store) -> Option<Commit> {
    if let Revision::Commit(id) = revision {
        return Some(Commit::by_id(id.clone()));
    }
    let known = store.revision_record(identity, revision.as_str()?)?;
    let RevisionRecord {
        commit: id,
        ref_name,
        subdirectory,
        ..
    } = known;
    ref_name.is_none().then_some(Commit {
        id,
        ref_name: None,
        subdirectory,
    })
}

/// What the revision meant when it was last looked up, if its files are in the store.
fn from_store_alone(identity: &str, revision: &Revision, store: &Store) -> Result<FoundTree, SourceError> {
    let text = revision.as_str().unwrap_or_default();
    let found = match store.revision_record(identity, text) {
        Some(RevisionRecord {
            commit,
            ref_name,
            subdirectory,
            ..
        }) => stored(
            store,
            identity,
            &Commit {
                id: commit,
                ref_name,
                subdirectory,
            },
        )?,
        None => None,
    };
    let separator = if text.is_empty() { "" } else { "@" };
    found.ok_or_else(|| SourceError::Offline {
        reference: format!("{identity}{separator}{text}"),
    })
}

/// The files of a commit, if the store has them unchanged. What was changed counts as missing: it is fetched again.
pub(super) fn stored(
    store: &Store,
    identity: &str,
    commit: &Commit,
) -> Result<Option<FoundTree>, SourceError> {
    let Some(record) = store.commit_record(identity, &commit.id) else {
        return Ok(None);
    };
    let root = match store.source_tree(&record.tree_hash) {
        Ok(Some(root)) => root,
        Ok(None) => return Ok(None),
        Err(error @ (StoreError::Changed { .. } | StoreError::Read { .. })) => {
            tracing::warn!("{error}; it is fetched again");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Some(FoundTree {
        root,
        tree_hash: record.tree_hash,
        commit: Some(SourceCommit {
            id: commit.id.clone(),
            ref_name: commit.ref_name.clone(),
            committed_at: record.committed_at,
        }),
        omissions: record.omissions,
        subdirectory: commit.subdirectory.clone(),
        fetched: false,
        bundle: record.bundle,
    }))
}
