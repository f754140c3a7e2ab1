//! Resolving: which files a reference means, and getting them.
use super::{
    ResolveOptions, ResolvedSource, SourceCommit, SourceError, SourceManifest, archive, find_models, local,
    remote::{self, FoundTree},
};
use crate::{
    SourceRef,
    manifest::Manifest,
    reference::{GitRepository, Location},
    store::{CommitRecord, Store},
};
use std::path::{Path, PathBuf};

/// Finds out what `reference` means now, gets its files unless the store has them, and reads its manifests.
///
/// A full commit id that the store has needs no network; a branch or a tag is looked up each time (one request), so
/// that it means what it means now. An archive is downloaded once. A local folder is used where it is.
///
/// # Errors
/// See [`SourceError`]; [`SourceError::hint`] says what the user can do.
pub fn resolve(reference: &SourceRef, options: &ResolveOptions<'_>) -> Result<ResolvedSource, SourceError> {
    let found = match reference.location() {
        Location::Git(repository) => remote::resolve(repository, reference.revision(), options)
            .map_err(|error| beside_folder(repository, error))?,
        Location::Path(path) if path.extension().is_some_and(|ending| ending == "json") => {
            return resolve_manifest_file(reference, path, options.store);
        }
        Location::Path(path) => resolve_path(path, options.store)?,
        Location::Archive(url) => archive::resolve_url(url, options)?,
    };
    finish(reference, found)
}

/// The source `reference`, whose files are in the folder `root` and are as `record` says.
///
/// # Errors
/// When there is no source in it, or its manifests cannot be read.
pub fn source_in(
    reference: &SourceRef,
    root: PathBuf,
    record: &CommitRecord,
    commit: SourceCommit,
) -> Result<ResolvedSource, SourceError> {
    let is_git = matches!(reference.location(), Location::Git(_));
    let found = FoundTree {
        root: if is_git { root } else { archive::only_folder(root)? },
        tree_hash: record.tree_hash,
        commit: is_git.then_some(commit),
        omissions: record.omissions.clone(),
        subdirectory: None,
        fetched: false,
        bundle: record.bundle,
    };
    finish(reference, found)
}

/// `user/repo` is a repository, even where a folder has that name; who meant the folder is told when there is no such
/// repository.
fn beside_folder(repository: &GitRepository, error: SourceError) -> SourceError {
    let repository = repository.to_string();
    let folder = PathBuf::from(&repository);
    // Without the network it is not known yet whether there is one.
    if folder.is_dir() && !matches!(error, SourceError::Offline { .. }) {
        SourceError::FolderOfThisName {
            repository,
            folder,
            source: Box::new(error),
        }
    } else {
        error
    }
}

fn resolve_path(path: &Path, store: &Store) -> Result<FoundTree, SourceError> {
    let Ok(root) = std::fs::canonicalize(path) else {
        return Err(SourceError::NoSuchPath {
            path: path.to_owned(),
        });
    };
    if !root.is_dir() {
        return archive::resolve_file(path, &root, store);
    }
    // A folder that is no source may be large: it is not read for nothing.
    let found = find_models(&root, &folder_name(&root))?;
    let tree_hash = match &found[..] {
        [] => {
            return Err(SourceError::NoManifest {
                identity: root.display().to_string(),
                path: root,
            });
        }
        [
            SourceManifest {
                published: Some(model),
                ..
            },
        ] => model.tree_hash(&root, store)?,
        _ => local::tree_hash(&root, store)?,
    };
    Ok(FoundTree {
        root,
        tree_hash,
        commit: None,
        omissions: Vec::new(),
        subdirectory: None,
        fetched: false,
        bundle: None,
    })
}

/// The source that a manifest file on this machine declares, whatever its name: one's own models.
fn resolve_manifest_file(
    reference: &SourceRef,
    path: &Path,
    store: &Store,
) -> Result<ResolvedSource, SourceError> {
    let Ok(file) = std::fs::canonicalize(path) else {
        return Err(SourceError::NoSuchPath {
            path: path.to_owned(),
        });
    };
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    let found = SourceManifest {
        folder: folder.clone(),
        manifest: Manifest::load(&file)?,
        published: None,
    };
    let tree_hash = if found.has_plugin() {
        local::tree_hash(&folder, store)?
    } else {
        local::manifest_hash(&file)?
    };
    Ok(ResolvedSource {
        reference: reference.clone(),
        identity: reference.identity(),
        commit: None,
        tree_hash,
        root: folder.clone(),
        path: folder,
        manifests: vec![found],
        omissions: Vec::new(),
        fetched: false,
        bundle: None,
    })
}

/// Finds the source's folder and manifests in the files of its repository.
fn finish(reference: &SourceRef, found: FoundTree) -> Result<ResolvedSource, SourceError> {
    let FoundTree {
        root,
        tree_hash,
        commit,
        omissions,
        subdirectory,
        fetched,
        bundle,
    } = found;
    let reference = reference.clone().settled(subdirectory.as_deref());
    let identity = reference.identity();
    let path = match reference.subdirectory() {
        Some(subdirectory) => {
            folder_inside(&root, subdirectory).ok_or_else(|| SourceError::NoSuchSubdirectory {
                identity: reference.clone().without_subdirectory().identity(),
                subdirectory: subdirectory.to_owned(),
            })?
        }
        None => root.clone(),
    };
    let manifests = find_models(&path, &model_name(&reference, &path))?;
    if manifests.is_empty() {
        return Err(SourceError::NoManifest { identity, path });
    }
    Ok(ResolvedSource {
        reference,
        identity,
        commit,
        tree_hash,
        root,
        path,
        manifests,
        omissions,
        fetched,
        bundle,
    })
}

/// What a published model of a source goes by: on its hub with its owner, elsewhere as its folder.
fn model_name(reference: &SourceRef, path: &Path) -> String {
    match (reference.location(), reference.subdirectory()) {
        (Location::Git(repository), None) if repository.is_hugging_face() => repository.path().to_owned(),
        (Location::Git(repository), None) => folder_name(Path::new(repository.path())),
        (Location::Archive(url), None) => {
            let name = url.split('?').next().and_then(|path| path.rsplit('/').next());
            name.unwrap_or_default().to_owned()
        }
        _ => folder_name(path),
    }
}

fn folder_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The folder of that name below `root`. A link that leads elsewhere inside is followed; none leads out.
fn folder_inside(root: &Path, subdirectory: &str) -> Option<PathBuf> {
    let folder = std::fs::canonicalize(root.join(subdirectory)).ok()?;
    let root = std::fs::canonicalize(root).ok()?;
    (folder.is_dir() && folder.starts_with(root)).then_some(folder)
}
