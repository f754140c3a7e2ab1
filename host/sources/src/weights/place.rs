//! Where the weights of a model are: the one place that knows.

use crate::{
    manifest::{ModelEntry, Origin},
    source::PublishedModel,
    store::Store,
};
use std::path::{Path, PathBuf};

/// Where the weights of a model are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsPlace {
    /// Among the files of the source, or they should be.
    InSource {
        /// Their path in the folder of the manifest.
        file: String,
        /// Where that is on this machine, where the source is on it.
        path: Option<PathBuf>,
    },
    /// All of the source's folder, a published model.
    WholeSource(PathBuf),
    /// In the store: the file or folder that the plugin is given.
    Stored(PathBuf),
    /// Not on this machine.
    Missing,
    /// The model has none.
    Nowhere,
}

impl WeightsPlace {
    /// The place of the weights of `model` of the source `identity`, whose manifest lies in `folder` where the source is on
    /// this machine.
    pub fn of(store: &Store, identity: &str, model: &ModelEntry, folder: Option<&Path>) -> Self {
        let manager = model.manager.as_ref();
        if let Some(Origin::SourceFile(file)) = manager.and_then(|manager| manager.origins.first()) {
            return Self::InSource {
                file: file.clone(),
                path: folder.map(|folder| folder.join(file)),
            };
        }
        if !model.has_weights() {
            return Self::Nowhere;
        }
        match store.model_path(identity, model) {
            Some(path) => Self::Stored(path),
            None => Self::Missing,
        }
    }

    /// The place of a published model in `folder`. A model whose folder has all of its files is used where it is; else all
    /// of them are put together in the store, in place of those of any other revision.
    pub fn of_published(
        store: &Store,
        identity: &str,
        model: &ModelEntry,
        folder: &Path,
        published: &PublishedModel,
    ) -> Self {
        if published.kept_elsewhere().next().is_none() {
            return Self::WholeSource(folder.to_owned());
        }
        let stored = store.model_dir(identity, &model.name());
        if !stored.is_dir() {
            return Self::Missing;
        }
        let there = store.model_files(identity, &model.name());
        match (there, published.digests(folder, store)) {
            (Ok(there), Ok(expected)) if there == expected => Self::Stored(stored),
            _ => Self::Missing,
        }
    }

    /// The file or folder of the weights, if it is there. Whether it is intact is seen when it is used.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Stored(path) | Self::WholeSource(path) => Some(path),
            Self::InSource { path, .. } => path.as_deref().filter(|path| path.is_file()),
            Self::Missing | Self::Nowhere => None,
        }
    }

    /// Whether the weights are on this machine; `None` for a model without weights.
    pub fn is_here(&self) -> Option<bool> {
        match self {
            Self::Nowhere => None,
            place => Some(place.path().is_some()),
        }
    }
}
