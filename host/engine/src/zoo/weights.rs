//! Getting a model's weights: from the source itself, from the network, or through the plugin.

use super::{FoundModel, LoadSettings, Zoo, ZooError, services::DownloadProgress};
use modelzoo_runtime::Artifact;
use modelzoo_sources::{
    Sha256Digest,
    download::{Request, google_drive_url, hugging_face_url},
    manifest::{Manager, Origin},
};
use std::path::{Path, PathBuf};

impl Zoo {
    /// Where the weights of a model are on this machine; they are downloaded unless they are there.
    pub(super) fn weights(
        &self,
        model: &FoundModel,
        artifact: &Artifact,
        settings: &LoadSettings,
    ) -> Result<PathBuf, ZooError> {
        match &model.entry.manager {
            Some(manager) => self.managed_weights(model, manager),
            // A model without a file name has no weights.
            None if model.entry.base_filename.is_none() => Ok(self.weights_folder(model)),
            None => self.weights_by_plugin(model, artifact, settings),
        }
    }

    /// The file that the manifest's manager names.
    fn managed_weights(&self, model: &FoundModel, manager: &Manager) -> Result<PathBuf, ZooError> {
        if !manager.is_known() {
            return Err(ZooError::UnknownManager {
                model: model.entry.name(),
                type_name: manager.type_name.clone(),
            });
        }
        if let Some(Origin::SourceFile(path)) = manager.origins.first() {
            return file_of_source(&model.manifest.folder.join(path), manager.sha256);
        }
        let destination = self.weights_folder(model).join(file_name(model));
        let request = Request {
            urls: manager.origins.iter().filter_map(url_of).collect(),
            sha256: manager.sha256,
            size: manager.size_bytes,
            destination,
        };
        if request.sha256.is_none() && request.destination.exists() {
            return Ok(request.destination);
        }
        let progress = DownloadProgress::new(self.settings.observer.as_ref());
        Ok(self
            .downloader
            .fetch(&request, &progress, &self.settings.cancellation)?
            .path)
    }

    /// What the plugin's own `download_model` fetches. It works in a folder of its own, which takes its place when
    /// all is there.
    fn weights_by_plugin(
        &self,
        model: &FoundModel,
        artifact: &Artifact,
        settings: &LoadSettings,
    ) -> Result<PathBuf, ZooError> {
        let folder = self.weights_folder(model);
        let destination = folder.join(file_name(model));
        if folder.exists() {
            return Ok(destination);
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ZooError::WeightsFile { path, source }
        };
        let staging = self.settings.store.stage()?;
        let path = staging.path().join(file_name(model));
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent).map_err(failed(parent))?;
        }
        self.runner(artifact.clone(), settings)
            .download_model(&model.entry.name(), &path)?;
        if let Some(parent) = folder.parent() {
            fs_err::create_dir_all(parent).map_err(failed(parent))?;
        }
        match fs_err::rename(staging.path(), &folder) {
            Ok(()) => Ok(destination),
            // Another process was faster; its files are as good.
            Err(_) if folder.exists() => Ok(destination),
            Err(error) => Err(failed(&folder)(error)),
        }
    }

    /// Where weights of this model are kept that are not known by their hash: one folder for each model of each
    /// source, whatever the commit, so that an update of the code keeps them.
    fn weights_folder(&self, model: &FoundModel) -> PathBuf {
        let name = Sha256Digest::of(format!("{}\n{}", model.source.identity, model.entry.name()));
        self.settings
            .store
            .weights_dir()
            .join("by-model")
            .join(name.to_string())
    }
}

/// A file that the source carries, checked against the manifest's hash.
fn file_of_source(path: &Path, expected: Option<Sha256Digest>) -> Result<PathBuf, ZooError> {
    let failed = |source| ZooError::WeightsFile {
        path: path.to_owned(),
        source,
    };
    let actual = Sha256Digest::of_file(path).map_err(failed)?;
    match expected {
        Some(expected) if expected != actual => Err(ZooError::WeightsMismatch {
            path: path.to_owned(),
            actual: actual.to_string(),
            expected: expected.to_string(),
        }),
        _ => Ok(path.to_owned()),
    }
}

fn url_of(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Url(url) => Some(url.clone()),
        Origin::GoogleDrive { id } => Some(google_drive_url(id)),
        Origin::HuggingFace { repo, file, revision } => Some(hugging_face_url(repo, file, Some(revision))),
        Origin::SourceFile(_) => None,
    }
}

/// The manifest's `base_filename`, or a name for models that have none.
fn file_name(model: &FoundModel) -> &str {
    model
        .entry
        .base_filename
        .as_deref()
        .filter(|name| !name.is_empty())
        .unwrap_or("weights")
}
