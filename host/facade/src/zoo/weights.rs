//! Getting a model's weights: from the source itself, from the network, or through the plugin.

use super::{
    FoundModel, Zoo,
    find::Known,
    published::{published_download, weights_in_place},
};
use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
    settings::LoadSettings,
};
use modelzoo_base::Sha256Digest;
use modelzoo_runtime::PluginCode;
use modelzoo_sources::{
    archive::{ArchiveFormat, ArchiveLimits, extract},
    download::{Request, google_drive_url, hugging_face_url},
    git::Omission,
    manifest::{Manager, Origin},
    reference::ModelRef,
    source::ResolvedSource,
    weights::WeightsPlace,
};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// The weights of a model on this machine.
pub(super) struct Weights {
    /// The file or folder that the plugin is given; for models without weights, a path where nothing is.
    pub(super) path: PathBuf,
    /// What they are, by their names.
    pub(super) files: BTreeMap<String, Sha256Digest>,
}

impl Zoo {
    /// Where the weights of a model are on this machine; they are downloaded unless they are there, or `again`. Without
    /// `code`, those that only the plugin can get have to be there.
    pub(super) fn weights(
        &self,
        model: &FoundModel,
        code: Option<&PluginCode>,
        settings: &LoadSettings,
        again: bool,
    ) -> Result<Weights, ZooError> {
        let (identity, name) = (&model.source.identity, model.entry.name());
        let store = &self.settings.store;
        match self.place(model) {
            WeightsPlace::InSource { file, path } => {
                let path = path.unwrap_or_else(|| model.manifest.folder.join(&file));
                refuse_pointer(&path, &model.source)?;
                let expected = model.entry.manager.as_ref().and_then(|manager| manager.sha256);
                let digest = file_of_source(&path, expected)?;
                Ok(Weights {
                    path,
                    files: BTreeMap::from([(file, digest)]),
                })
            }
            WeightsPlace::WholeSource(path) => Ok(Weights {
                files: weights_in_place(model, store)?,
                path,
            }),
            WeightsPlace::Nowhere => Ok(Weights {
                path: store.model_dir(identity, &name),
                files: BTreeMap::new(),
            }),
            WeightsPlace::Stored(path) if !again => Ok(Weights {
                path,
                files: store.model_files(identity, &name)?,
            }),
            WeightsPlace::Stored(_) | WeightsPlace::Missing => match &model.manifest.published {
                Some(published) => Ok(Weights {
                    path: store.model_dir(identity, &name),
                    files: self.download_published(model, published)?,
                }),
                None => self.download_weights(model, code, settings),
            },
        }
    }

    fn download_weights(
        &self,
        model: &FoundModel,
        code: Option<&PluginCode>,
        settings: &LoadSettings,
    ) -> Result<Weights, ZooError> {
        let store = &self.settings.store;
        let name = model.entry.name();
        let staging = store.stage()?;
        let staged = staging.path().join(model.entry.weights_name());
        if let Some(parent) = staged.parent() {
            fs_err::create_dir_all(parent).map_err(ZooError::weights_file(parent))?;
        }
        match (&model.entry.manager, code) {
            (Some(manager), _) => self.download_managed(model, manager, &staged)?,
            (None, Some(code)) => {
                let folder = staging.path().to_owned();
                self.runner(code.clone(), settings, Some(folder))
                    .download_model(&name, &staged)?;
            }
            (None, None) => return Err(ZooError::NotDownloaded(name)),
        }
        let files = store.publish_model(&staging, &model.source.identity, &name)?;
        let path = self.find_weights(model)?;
        Ok(Weights { path, files })
    }

    /// The download that [`Zoo::weights`] would make, if it would make one.
    pub(super) fn plan_weights(&self, model: &FoundModel, again: bool) -> Option<PlannedStep> {
        match self.place(model) {
            WeightsPlace::Missing => {}
            WeightsPlace::Stored(_) if again => {}
            WeightsPlace::Stored(_)
            | WeightsPlace::WholeSource(_)
            | WeightsPlace::InSource { .. }
            | WeightsPlace::Nowhere => return None,
        }
        if let Some(published) = &model.manifest.published {
            return Some(published_download(model, published));
        }
        let manager = model.entry.manager.as_ref();
        let origins = manager.map(|manager| manager.origins.as_slice());
        Some(PlannedStep::Download {
            file: model.entry.weights_name().to_owned(),
            from: origins.unwrap_or_default().iter().filter_map(url_of).collect(),
            size_bytes: manager
                .and_then(|manager| manager.size_bytes)
                .or(model.entry.size_bytes),
        })
    }

    /// Whether the weights of a model are on this machine; `None` for a model without weights.
    pub fn is_downloaded(&self, model: &FoundModel) -> Option<bool> {
        self.place(model).is_here()
    }

    /// Where the weights of a model are, if they are on this machine.
    ///
    /// # Errors
    /// When they are not.
    pub fn find_weights(&self, model: &FoundModel) -> Result<PathBuf, ZooError> {
        let place = self.place(model);
        let path = place
            .path()
            .ok_or_else(|| ZooError::NotDownloaded(model.entry.name()))?;
        Ok(path.to_owned())
    }

    pub(super) fn place(&self, model: &FoundModel) -> WeightsPlace {
        let (store, identity) = (&self.settings.store, &model.source.identity);
        if let Some(published) = &model.manifest.published {
            return WeightsPlace::of_published(
                store,
                identity,
                &model.entry,
                &model.manifest.folder,
                published,
            );
        }
        let folder = Some(model.manifest.folder.as_path());
        WeightsPlace::of(store, identity, &model.entry, folder)
    }

    /// What it takes to delete the weights of a model. Weights that the source carries stay.
    ///
    /// # Errors
    /// When there is no such model.
    pub fn plan_delete(&self, model: &ModelRef) -> Result<DeletePlan<'_>, ZooError> {
        let model = self.or_deferred(self.find(model))?;
        Ok(DeletePlan { zoo: self, model })
    }

    /// Downloads the file that the manifest's manager names, and extracts it where the manager says so.
    fn download_managed(
        &self,
        model: &FoundModel,
        manager: &Manager,
        destination: &Path,
    ) -> Result<(), ZooError> {
        if !manager.is_known() {
            return Err(ZooError::UnknownManager {
                model: model.entry.name(),
                type_name: manager.type_name.clone(),
            });
        }
        // An archive arrives in a folder of its own, so that nothing in it can take the archive's place.
        let arrival = self.settings.store.stage()?;
        let archive = match manager.extract_archive {
            true => Some(archive_name(destination, manager)?),
            false => None,
        };
        // The lock knows the files of the model: the archive is one only if it is kept.
        let arriving = archive
            .as_ref()
            .map_or(model.entry.weights_name(), |(name, _)| name);
        let pinned = model
            .lock_key()
            .and_then(|key| self.lock().expected_weights(&key, &model.entry.name(), arriving));
        let request = Request {
            urls: manager.origins.iter().filter_map(url_of).collect(),
            sha256: manager.sha256.or(pinned),
            size: manager.size_bytes,
            destination: match &archive {
                Some((name, _)) => arrival.path().join(name),
                None => destination.to_owned(),
            },
        };
        let (store, access) = (&self.settings.store, self.access());
        store.fetch_weights(access.downloader, &request, access.observer, access.cancellation)?;
        if let Some((name, format)) = archive {
            let folder = destination.parent().unwrap_or(destination);
            let url = request.urls.first().map_or(name.as_str(), String::as_str);
            extract(&request.destination, format, folder, &ArchiveLimits::default())
                .map_err(|error| error.of(url))?;
            let kept = folder.join(name);
            if !manager.delete_archive && !kept.exists() {
                fs_err::rename(&request.destination, &kept).map_err(ZooError::weights_file(&kept))?;
            }
        }
        Ok(())
    }
}

/// The deletion of a model's weights; gives the model's name, and whether there were any.
#[derive(Debug)]
pub struct DeletePlan<'a> {
    zoo: &'a Zoo,
    model: Known<FoundModel>,
}

impl DeletePlan<'_> {
    fn folder(&self, model: &FoundModel) -> PathBuf {
        let store = &self.zoo.settings.store;
        store.model_dir(&model.source.identity, &model.entry.name())
    }
}

impl Plan for DeletePlan<'_> {
    type Step = PlannedStep;
    type Outcome = (String, bool);
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        Ok(match &self.model {
            Known::Elsewhere { reference } => vec![PlannedStep::Fetch {
                source: reference.clone(),
            }],
            Known::Here(model) => Some(self.folder(model))
                .filter(|folder| folder.exists())
                .map(|path| PlannedStep::Delete { path })
                .into_iter()
                .collect(),
        })
    }

    fn execute(self) -> Result<(String, bool), ZooError> {
        let model = self.model.here()?;
        let name = model.entry.name();
        let was_there = self
            .zoo
            .settings
            .store
            .remove_model(&model.source.identity, &name)?;
        Ok((name, was_there))
    }
}

/// What an archive with a model's files is called, and its format: by the model's file if that is one, else by a URL.
fn archive_name(destination: &Path, manager: &Manager) -> Result<(String, ArchiveFormat), ZooError> {
    let own = destination
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let of_urls = manager.origins.iter().filter_map(url_of).filter_map(|url| {
        let path = url.split(['?', '#']).next()?;
        Some(path.rsplit('/').next()?.to_owned())
    });
    own.into_iter()
        .chain(of_urls)
        .find_map(|name| ArchiveFormat::of_name(&name).map(|format| (name, format)))
        .ok_or_else(|| ZooError::WeightsFile {
            path: destination.to_owned(),
            source: io::Error::other(
                "the manifest wants an archive extracted, but neither base_filename nor a URL is called like one",
            ),
        })
}

/// Git LFS keeps files elsewhere: what a source has in their place is no weights.
fn refuse_pointer(path: &Path, source: &ResolvedSource) -> Result<(), ZooError> {
    let is_it = |omission: &&Omission| source.root.join(&omission.path) == path;
    match source.omissions.iter().find(is_it) {
        Some(omission) => Err(ZooError::OmittedWeights {
            source_identity: source.identity.clone(),
            omission: omission.clone(),
        }),
        None => Ok(()),
    }
}

/// Checks a file that the source carries against the manifest's hash; gives its own.
fn file_of_source(path: &Path, expected: Option<Sha256Digest>) -> Result<Sha256Digest, ZooError> {
    let actual = Sha256Digest::of_file(path).map_err(ZooError::weights_file(path))?;
    match expected {
        Some(expected) if expected != actual => Err(ZooError::WeightsMismatch {
            path: path.to_owned(),
            actual: actual.to_string(),
            expected: expected.to_string(),
        }),
        _ => Ok(actual),
    }
}

/// Where a file of the network is; `None` for one of the source itself.
fn url_of(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Url(url) => Some(url.clone()),
        Origin::GoogleDrive { id } => Some(google_drive_url(id)),
        Origin::HuggingFace { repo, file, revision } => Some(hugging_face_url(repo, file, Some(revision))),
        Origin::SourceFile(_) => None,
    }
}
