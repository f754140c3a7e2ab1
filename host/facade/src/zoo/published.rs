//! Models that need no code: the plugin that is built in runs them. The weights of published ones are where their hub
//! keeps them, those of others where their manifest says.

use super::{FoundModel, Zoo};
use crate::{
    built_in::{check, check_deployment, plugin_of_published_models},
    error::ZooError,
    plan::PlannedStep,
};
use modelzoo_base::Sha256Digest;
use modelzoo_runtime::BuiltInPlugin;
use modelzoo_sources::{download::Request, source::PublishedModel, store::Store};
use std::{collections::BTreeMap, io, path::Path};

/// The plugin that runs a model without code of its own, once it is known that it can: before anything is downloaded
/// for it. `None` for a model that has code, or is neither published nor described by its manifest.
///
/// # Errors
/// When the program has no such plugin, or that knows no such model.
pub(super) fn built_in(model: &FoundModel) -> Result<Option<BuiltInPlugin>, ZooError> {
    let identity = || model.source.identity.clone();
    let checked = match (&model.manifest.published, model.deployment()) {
        (Some(_), _) => check(&model.manifest.folder),
        (None, Some(deployment)) => check_deployment(deployment),
        (None, None) => return Ok(None),
    };
    let plugin =
        plugin_of_published_models().ok_or_else(|| ZooError::NothingBuiltIn { identity: identity() })?;
    checked.map_err(|error| ZooError::Published {
        identity: identity(),
        error,
    })?;
    let has_code = model.manifest.published.as_ref();
    if has_code.is_some_and(|published| published.has_code) {
        tracing::warn!(
            "{} comes with code of its own (auto_map), which is never run",
            model.source.identity
        );
    }
    Ok(Some(plugin))
}

/// The download of what a published model keeps elsewhere.
pub(super) fn published_download(model: &FoundModel, published: &PublishedModel) -> PlannedStep {
    let files: Vec<_> = published.kept_elsewhere().collect();
    PlannedStep::Download {
        file: files.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
        from: files
            .iter()
            .filter_map(|(name, _)| model.source.file_url(&in_source(model, name)))
            .collect(),
        size_bytes: Some(files.iter().map(|(_, pointer)| pointer.size).sum()),
    }
}

/// The digests of a published model's weights that lie in its source.
pub(super) fn weights_in_place(
    model: &FoundModel,
    store: &Store,
) -> Result<BTreeMap<String, Sha256Digest>, ZooError> {
    let Some(published) = &model.manifest.published else {
        return Ok(BTreeMap::new());
    };
    let folder = &model.manifest.folder;
    let mut digests = published.digests(folder, store).map_err(unusable(folder))?;
    for file in published.files.iter().filter(|file| !file.is_weights) {
        digests.remove(&file.name);
    }
    Ok(digests)
}

impl Zoo {
    /// Puts all files of a published model together in the store; those that are kept elsewhere are downloaded, and must
    /// be what their pointers say. Gives their digests.
    pub(super) fn download_published(
        &self,
        model: &FoundModel,
        published: &PublishedModel,
    ) -> Result<BTreeMap<String, Sha256Digest>, ZooError> {
        let (store, access) = (self.store(), self.access());
        let staging = store.stage()?;
        for file in &published.files {
            let (here, there) = (
                model.manifest.folder.join(&file.name),
                staging.path().join(&file.name),
            );
            let Some(pointer) = file.pointer else {
                fs_err::copy(&here, &there).map_err(unusable(&here))?;
                continue;
            };
            let url = model.source.file_url(&in_source(model, &file.name));
            let request = Request {
                urls: vec![url.ok_or(ZooError::KeptElsewhere { path: here })?],
                sha256: Some(pointer.sha256),
                size: Some(pointer.size),
                destination: there,
            };
            store.fetch_weights(access.downloader, &request, access.observer, access.cancellation)?;
        }
        let (identity, name) = (&model.source.identity, model.entry.name());
        Ok(store.publish_model(&staging, identity, &name)?)
    }
}

/// The path of a file in the whole repository.
fn in_source(model: &FoundModel, name: &str) -> String {
    let folder = model.manifest.folder.strip_prefix(&model.source.root);
    let path = folder.unwrap_or(Path::new("")).join(name);
    path.to_string_lossy().into_owned()
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> ZooError {
    let path = path.to_owned();
    move |source| ZooError::WeightsFile { path, source }
}
