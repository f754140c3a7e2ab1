//! The sources that a user has registered.
use super::RegistryError;
use crate::{
    SourceRef,
    manifest::{MANIFEST_FILE, Manifest, ModelEntry, duplicate_names},
    reference::{Location, Revision},
    source::{ResolvedSource, SourceCommit, SourceManifest},
    store::{Store, TREE},
};
use modelzoo_base::{Sha256Digest, file, suggest};
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Remembers sources: a file for each, in a folder of the user's data.
#[derive(Clone, Debug)]
pub struct Registry {
    folder: PathBuf,
}

/// A source that the zoo knows, as it was when it was registered or last updated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZooSource {
    /// One name for the source, however it was spelt.
    pub identity: String,
    /// What the user registered: the spelling and the revision to update from.
    pub reference: SourceRef,
    /// The commit, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<SourceCommit>,
    /// The hash of its files. `None` for a manifest out of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_hash: Option<Sha256Digest>,
    /// Its folder in the tree of that hash in the store; `None` for what is used where it is, on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder_in_tree: Option<String>,
    /// When this state of it was registered, in seconds since 1970.
    pub registered_at: i64,
    /// Its manifests.
    pub manifests: Vec<ZooManifest>,
}

/// A manifest that the zoo knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZooManifest {
    /// The folder of the manifest, relative to the source's; empty for the source's own.
    pub folder: String,
    /// Whether there is a plugin beside it. Models without one were written for Python and cannot be loaded.
    pub has_plugin: bool,
    /// Whether it stands for a published model, which needs no plugin of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_published: bool,
    /// Its content.
    pub manifest: Manifest,
}

impl Registry {
    /// The register in the folder `data` ([`Store::default_data_dir`](crate::Store::default_data_dir)), which need not
    /// exist.
    pub fn new(data: impl AsRef<Path>) -> Self {
        Self {
            folder: data.as_ref().join("sources"),
        }
    }

    /// Registers a source, or replaces what is known of it.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn register(&self, source: &ResolvedSource) -> Result<ZooSource, RegistryError> {
        let known = ZooSource::of(source);
        let path = self.file(&known.identity);
        let text = serde_json::to_vec(&known).map_err(io::Error::from);
        text.and_then(|text| file::write(&path, text))
            .map_err(RegistryError::file("write", &path))?;
        Ok(known)
    }

    /// All registered sources, sorted by identity. Local folders are read again: their manifests may have changed.
    /// A file that is damaged is left out, with a warning in the log.
    ///
    /// # Errors
    /// The register cannot be read.
    pub fn sources(&self) -> Result<Vec<ZooSource>, RegistryError> {
        let failed = RegistryError::file("read", &self.folder);
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut sources = Vec::new();
        for entry in entries {
            let path = entry.map_err(&failed)?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                match read(&path) {
                    Ok(source) => sources.push(source.refreshed()),
                    Err(error) => tracing::warn!("{} is left out: {error}", path.display()),
                }
            }
        }
        sources.sort_by(|a, b| a.identity.cmp(&b.identity));
        Ok(sources)
    }

    /// The registered source that `reference` names, at whatever revision and however it is spelt.
    ///
    /// # Errors
    /// It is not registered; the register cannot be read.
    pub fn find(&self, reference: &SourceRef) -> Result<ZooSource, RegistryError> {
        if matches!(reference.revision(), Revision::RefOrPath(_)) {
            // `tree/a/b` does not say whether `b` is a folder; when it was registered, the remote did.
            let means = |known: &ZooSource| {
                reference.clone().settled(known.reference.subdirectory()) == known.reference
            };
            if let Some(known) = self.sources()?.into_iter().find(means) {
                return Ok(known);
            }
        }
        let identity = reference.identity();
        match read(&self.file(&identity)) {
            Ok(source) => Ok(source.refreshed()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let sources = self.sources()?;
                let suggestions =
                    suggest::nearest(&identity, sources.iter().map(|known| known.identity.as_str()));
                Err(RegistryError::UnknownSource {
                    identity,
                    suggestions,
                })
            }
            Err(error) => Err(RegistryError::file("read", &self.file(&identity))(error)),
        }
    }

    /// Forgets a source. Its files and weights stay in the store.
    ///
    /// # Errors
    /// It is not registered; the register cannot be written.
    pub fn remove(&self, reference: &SourceRef) -> Result<ZooSource, RegistryError> {
        let source = self.find(reference)?;
        let path = self.file(&source.identity);
        std::fs::remove_file(&path).map_err(RegistryError::file("delete", &path))?;
        Ok(source)
    }

    fn file(&self, identity: &str) -> PathBuf {
        self.folder
            .join(format!("{}.json", &Sha256Digest::of(identity).to_string()[..32]))
    }
}

fn read(path: &Path) -> io::Result<ZooSource> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

impl ZooSource {
    /// What is to be remembered of a source.
    pub fn of(source: &ResolvedSource) -> Self {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let reference = match source.reference.location() {
            // What is relative now is somewhere else for the next command.
            Location::Path(_) => SourceRef::from_path(&source.identity),
            _ => source.reference.clone(),
        };
        Self {
            identity: source.identity.clone(),
            reference,
            commit: source.commit.clone(),
            tree_hash: Some(source.tree_hash),
            folder_in_tree: folder_in_tree(source),
            registered_at: i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX),
            manifests: source
                .manifests
                .iter()
                .map(|found| ZooManifest::of(found, &source.path))
                .collect(),
        }
    }

    /// The source that a configured manifest file declares.
    pub(super) fn of_manifest_file(path: &Path) -> Result<Self, RegistryError> {
        let reference = SourceRef::from_path(path);
        let manifest = Manifest::load(path)?;
        let has_plugin = path
            .parent()
            .is_some_and(|folder| folder.join("Cargo.toml").is_file());
        Ok(Self {
            identity: reference.identity(),
            reference,
            commit: None,
            tree_hash: None,
            folder_in_tree: None,
            registered_at: 0,
            manifests: vec![ZooManifest {
                folder: String::new(),
                has_plugin,
                is_published: false,
                manifest,
            }],
        })
    }

    /// With the present manifests, where the source is used in place and can be read.
    fn refreshed(mut self) -> Self {
        if self.folder_in_tree.is_some() {
            return self;
        }
        let place = PathBuf::from(&self.identity);
        for known in &mut self.manifests {
            let path = if place.is_file() {
                place.clone()
            } else {
                place.join(&known.folder).join(MANIFEST_FILE)
            };
            if let Ok(manifest) = Manifest::load(&path) {
                known.has_plugin = path.with_file_name("Cargo.toml").is_file();
                known.manifest = manifest;
            }
        }
        self
    }

    /// Where the source's folder is on this machine, if its files are there.
    pub fn folder(&self, store: &Store) -> Option<PathBuf> {
        match (&self.folder_in_tree, &self.tree_hash) {
            (Some(folder), Some(tree_hash)) => Some(store.tree_path(tree_hash).join(folder)),
            _ => {
                let place = PathBuf::from(&self.identity);
                if place.is_dir() {
                    Some(place)
                } else {
                    place.parent().map(Path::to_owned)
                }
            }
        }
    }

    /// What is wrong with its manifests although they can be read, a line each.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let duplicates = duplicate_names(self.models().map(|(_, model)| model));
        duplicates.into_iter().map(|name| {
            format!(
                "`{}` declares the model `{name}` more than once; the first one counts",
                self.identity
            )
        })
    }

    /// All models with the manifests that declare them, in the manifests' order.
    pub fn models(&self) -> impl Iterator<Item = (&ZooManifest, &ModelEntry)> {
        self.manifests
            .iter()
            .flat_map(|known| known.manifest.models.iter().map(move |model| (known, model)))
    }
}

/// The part of a source's path behind the tree in the store.
fn folder_in_tree(source: &ResolvedSource) -> Option<String> {
    let tree = Path::new(&source.tree_hash.to_string()).join(TREE);
    let root = source
        .path
        .ancestors()
        .find(|ancestor| ancestor.ends_with(&tree))?;
    Some(
        source
            .path
            .strip_prefix(root)
            .ok()?
            .to_string_lossy()
            .into_owned(),
    )
}

impl ZooManifest {
    fn of(found: &SourceManifest, root: &Path) -> Self {
        let folder = found.folder.strip_prefix(root).unwrap_or(Path::new(""));
        Self {
            folder: folder.to_string_lossy().into_owned(),
            has_plugin: found.has_plugin(),
            is_published: found.published.is_some(),
            manifest: found.manifest.clone(),
        }
    }
}
