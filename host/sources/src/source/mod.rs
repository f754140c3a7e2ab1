//! From a reference to files: resolving and fetching sources.
mod archive;
mod error;
mod files;
mod local;
mod options;
mod pack;
mod published;
mod remote;
mod resolve;
#[cfg(test)]
mod tests;

use crate::{
    SourceRef,
    download::hugging_face_url,
    git::Omission,
    manifest::{MANIFEST_FILE, Manifest, ModelEntry, SelectError},
    reference::Location,
};
use modelzoo_base::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub use error::SourceError;
pub use options::ResolveOptions;
pub use pack::{PackError, Packed, Packing};
pub use published::{PublishedFile, PublishedModel, WEIGHT_FILES};
pub use resolve::{resolve, source_in};

/// The paths, relative and with `/`, of what belongs to the source in a folder of this machine: what Git is told to ignore is
/// no part of it, unless Git has it all the same.
///
/// # Errors
/// When a folder cannot be read, or a name is not UTF-8.
pub fn local_files(folder: &Path) -> Result<Vec<String>, SourceError> {
    let files = files::files_of(folder)?;
    Ok(files.into_iter().map(|file| file.path).collect())
}

/// A source whose files are on this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedSource {
    /// What was asked for; a `tree/a/b` [settled](SourceRef::settled).
    pub reference: SourceRef,
    /// One name for the source, however it was spelt: see [`SourceRef::identity`].
    pub identity: String,
    /// The commit, where there is one.
    pub commit: Option<SourceCommit>,
    /// The hash of all files of the repository, archive or folder.
    pub tree_hash: Sha256Digest,
    /// The folder of the whole repository, archive or local folder; absolute.
    pub root: PathBuf,
    /// The folder of the source in it; absolute.
    pub path: PathBuf,
    /// The manifests of the source, each with its folder; never empty. A published model has one that says what its own
    /// files say.
    pub manifests: Vec<SourceManifest>,
    /// What the commit refers to and is not there.
    pub omissions: Vec<Omission>,
    /// Whether the files came over the network now.
    pub fetched: bool,
    /// The hash of the bundle that says which files these are, where nothing else does.
    pub bundle: Option<Sha256Digest>,
}

/// The commit of a resolved source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCommit {
    /// The full id.
    pub id: String,
    /// The full name of the ref it was found by, such as `refs/tags/v1`.
    pub ref_name: Option<String>,
    /// When it was made, in seconds since 1970.
    pub committed_at: Option<i64>,
}

/// A manifest and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceManifest {
    /// The folder that holds the manifest; absolute.
    pub folder: PathBuf,
    /// Its content.
    pub manifest: Manifest,
    /// The published model that it was made of, where there is no manifest but one.
    pub published: Option<PublishedModel>,
}

impl SourceManifest {
    /// The name of the plugin's crate, where its `Cargo.toml` can be read.
    pub fn crate_name(&self) -> Option<String> {
        let text = fs_err::read_to_string(self.folder.join("Cargo.toml")).ok()?;
        let manifest: toml::Table = text.parse().ok()?;
        let name = manifest.get("package")?.get("name")?.as_str()?;
        // It becomes a part of names of files and URLs.
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        name.chars().all(is_name).then(|| name.to_owned())
    }

    /// Whether there is a plugin to build beside the manifest. A source without one, and that is no published model, was
    /// written for Python: its models can be listed, not loaded.
    pub fn has_plugin(&self) -> bool {
        self.folder.join("Cargo.toml").is_file()
    }
}

impl ResolvedSource {
    /// Whether it is a published model, of which no code is ever run.
    pub fn is_published(&self) -> bool {
        self.manifests.iter().any(|found| found.published.is_some())
    }

    /// Where its hub hands out a file of the commit that is kept outside of the repository; `None` for sources of other
    /// places.
    pub fn file_url(&self, file: &str) -> Option<String> {
        let Location::Git(repository) = self.reference.location() else {
            return None;
        };
        let commit = self.commit.as_ref()?;
        repository
            .is_hugging_face()
            .then(|| hugging_face_url(repository.path(), file, Some(&commit.id)))
    }

    /// The model of this name, or the only one, with the manifest that declares it.
    ///
    /// # Errors
    /// As [`Manifest::select`]; a name that is missing is looked for in all manifests.
    pub fn select(&self, name: Option<&str>) -> Result<(&SourceManifest, &ModelEntry), SelectError> {
        let declaring: Vec<_> = self
            .manifests
            .iter()
            .filter(|found| !found.manifest.models.is_empty())
            .collect();
        if let [only] = declaring[..] {
            return only.manifest.select(name).map(|model| (only, model));
        }
        let names = || {
            declaring
                .iter()
                .flat_map(|found| &found.manifest.models)
                .map(ModelEntry::name)
        };
        match name {
            None if declaring.is_empty() => Err(SelectError::NoModels),
            None => Err(SelectError::NameNeeded {
                names: names().collect(),
            }),
            Some(name) => declaring
                .iter()
                .find_map(|found| {
                    found
                        .manifest
                        .select(Some(name))
                        .ok()
                        .map(|model| (*found, model))
                })
                .ok_or_else(|| SelectError::unknown(name, names())),
        }
    }

    /// All models with the manifests that declare them.
    pub fn models(&self) -> impl Iterator<Item = (&SourceManifest, &ModelEntry)> {
        self.manifests
            .iter()
            .flat_map(|found| found.manifest.models.iter().map(move |model| (found, model)))
    }
}

/// What there is in `folder`: code beside a manifest, or else a published model that goes by `name`, or else manifests.
fn find_models(folder: &Path, name: &str) -> Result<Vec<SourceManifest>, SourceError> {
    let has_code = ["Cargo.toml", MANIFEST_FILE]
        .iter()
        .all(|name| folder.join(name).is_file());
    if !has_code && let Some(published) = published::read(folder, name)? {
        return Ok(vec![published]);
    }
    find_manifests(folder)
}

/// Reads the manifests in `folder`: its own, or else those of the folders below it. Hidden folders are not looked
/// into, nor is what lies below a manifest.
fn find_manifests(folder: &Path) -> Result<Vec<SourceManifest>, SourceError> {
    const DEEPEST: usize = 8;
    let mut found = Vec::new();
    let mut pending = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        let path = folder.join(MANIFEST_FILE);
        if path.is_file() {
            found.push(SourceManifest {
                manifest: Manifest::load(&path)?,
                folder,
                published: None,
            });
            continue;
        }
        if depth == DEEPEST {
            continue;
        }
        let failed = SourceError::read(&folder);
        for entry in fs_err::read_dir(&folder).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !is_hidden
                && entry.file_type().map_err(&failed)?.is_dir()
                && !files::is_build_folder(&entry.path())
            {
                pending.push((entry.path(), depth + 1));
            }
        }
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(found)
}
