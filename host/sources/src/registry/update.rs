//! What another state of a source would change.
use super::{RegistryError, ZooSource};
use crate::{
    manifest::ModelEntry,
    source::ResolvedSource,
    store::Store,
    tree::{self, EntryKind},
};
use modelzoo_base::Sha256Digest;
use serde::Serialize;
use std::{collections::BTreeMap, io, path::Path};

/// The difference between what is registered of a source and what it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    /// The source.
    pub identity: String,
    /// The registered commit.
    pub old_commit: Option<String>,
    /// The present one.
    pub new_commit: Option<String>,
    /// Models that appear, disappear or change, sorted by name.
    pub models: Vec<ModelChange>,
    /// Files that appear, disappear or change, sorted by path; `None` when the store does not have the old ones.
    pub files: Option<Vec<FileChange>>,
    /// Whether anything is different.
    pub is_change: bool,
}

/// A model that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ModelChange {
    /// It is new.
    Added {
        /// Its name.
        name: String,
    },
    /// It is gone.
    Removed {
        /// Its name.
        name: String,
    },
    /// Its entry says something else.
    Changed {
        /// Its name.
        name: String,
        /// The fields that are different.
        fields: Vec<String>,
    },
}

/// A file that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum FileChange {
    /// It is new.
    Added {
        /// Its path.
        path: String,
    },
    /// It is gone.
    Removed {
        /// Its path.
        path: String,
    },
    /// Its content or its kind is different.
    Changed {
        /// Its path.
        path: String,
    },
}

impl Update {
    /// Compares a registered source with what it resolves to now. Nothing is taken over:
    /// [`Registry::register`](super::Registry::register) does that.
    ///
    /// # Errors
    /// Files in the store cannot be read.
    pub fn between(old: &ZooSource, new: &ResolvedSource, store: &Store) -> Result<Self, RegistryError> {
        let is_change = old.tree_hash != Some(new.tree_hash);
        let files = match old.tree_hash {
            Some(_) if !is_change => Some(Vec::new()),
            // The old state of a local folder is not kept.
            Some(hash) if !new.reference.is_local_path() => {
                let old_root = store.tree_path(&hash);
                old_root
                    .is_dir()
                    .then(|| file_changes(&old_root, &store.tree_path(&new.tree_hash)))
                    .transpose()?
            }
            _ => None,
        };
        let commit_of =
            |commit: &Option<crate::source::SourceCommit>| commit.as_ref().map(|commit| commit.id.clone());
        Ok(Self {
            identity: new.identity.clone(),
            old_commit: commit_of(&old.commit),
            new_commit: commit_of(&new.commit),
            models: model_changes(
                old.models().map(|(_, model)| (model.name(), model)).collect(),
                new.models().map(|(_, model)| (model.name(), model)).collect(),
            ),
            files,
            is_change,
        })
    }
}

fn model_changes(old: BTreeMap<String, &ModelEntry>, new: BTreeMap<String, &ModelEntry>) -> Vec<ModelChange> {
    let mut changes = Vec::new();
    for (name, entry) in &old {
        match new.get(name) {
            None => changes.push(ModelChange::Removed { name: name.clone() }),
            Some(new_entry) if new_entry != entry => {
                changes.push(ModelChange::Changed {
                    name: name.clone(),
                    fields: changed_fields(entry, new_entry),
                });
            }
            Some(_) => {}
        }
    }
    let added = new.keys().filter(|name| !old.contains_key(*name));
    changes.extend(added.map(|name| ModelChange::Added { name: name.clone() }));
    changes.sort_by(|a, b| a.name().cmp(b.name()));
    changes
}

fn changed_fields(old: &ModelEntry, new: &ModelEntry) -> Vec<String> {
    let fields = |entry: &ModelEntry| match serde_json::to_value(entry) {
        Ok(serde_json::Value::Object(fields)) => fields,
        // An entry is a struct, which serializes to an object.
        _ => serde_json::Map::new(),
    };
    let (old, new) = (fields(old), fields(new));
    let mut changed: Vec<String> = old
        .keys()
        .chain(new.keys())
        .filter(|key| old.get(*key) != new.get(*key))
        .cloned()
        .collect();
    changed.sort();
    changed.dedup();
    changed
}

impl ModelChange {
    /// The model's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Added { name } | Self::Removed { name } | Self::Changed { name, .. } => name,
        }
    }
}

fn file_changes(old: &Path, new: &Path) -> Result<Vec<FileChange>, RegistryError> {
    let list = |root: &Path| files_of(root).map_err(RegistryError::file("read", root));
    let (old, new) = (list(old)?, list(new)?);
    let gone_or_changed = old.iter().filter_map(|(path, content)| match new.get(path) {
        None => Some(FileChange::Removed { path: path.clone() }),
        Some(now) if now != content => Some(FileChange::Changed { path: path.clone() }),
        Some(_) => None,
    });
    let added = new
        .keys()
        .filter(|path| !old.contains_key(*path))
        .map(|path| FileChange::Added { path: path.clone() });
    let mut changes: Vec<FileChange> = gone_or_changed.chain(added).collect();
    changes.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(changes)
}

impl FileChange {
    /// The file's path in the source.
    pub fn path(&self) -> &str {
        match self {
            Self::Added { path } | Self::Removed { path } | Self::Changed { path } => path,
        }
    }
}

/// Kind and digest of each file and link.
fn files_of(root: &Path) -> io::Result<BTreeMap<String, (EntryKind, Sha256Digest)>> {
    let mut files = BTreeMap::new();
    tree::visit(root, "", &|_| false, &mut |path, kind, place| {
        files.insert(path, (kind, tree::digest(kind, place)?));
        Ok(())
    })?;
    Ok(files)
}
