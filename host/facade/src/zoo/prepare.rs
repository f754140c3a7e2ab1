use super::{Event, FoundModel, LoadSettings, Zoo, ZooError, weights::Weights};
use modelzoo_engine::Provenance;
use modelzoo_plugin_api::{API_VERSION, Device};
use modelzoo_runtime::{Artifact, BuildProgress, BuildRequest, Builder, TARGET};
use modelzoo_sources::zoo::{Machine, Unmet, check_requirements};
use semver::Version;
use std::path::PathBuf;

/// A model whose plugin is built and whose weights are here.
#[derive(Clone, Debug)]
pub struct PreparedModel {
    /// The name that the plugin knows it by.
    pub name: String,
    /// The plugin.
    pub artifact: Artifact,
    /// The file or folder of the weights; for models without weights, a path where nothing is.
    pub weights: PathBuf,
    /// Where it all comes from.
    pub provenance: Provenance,
}

impl Zoo {
    /// Builds the plugin of a model and gets its weights, unless both are here already.
    ///
    /// # Errors
    /// When the source has no plugin, it does not compile, or the weights cannot be had.
    pub fn prepare_model(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
    ) -> Result<PreparedModel, ZooError> {
        self.prepare(model, settings, false)
    }

    /// Prepares a model; `again` downloads weights that are there once more.
    pub(super) fn prepare(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
        again: bool,
    ) -> Result<PreparedModel, ZooError> {
        let artifact = self.plugin(model, settings)?;
        let weights = self.weights(model, &artifact, settings, again)?;
        self.note_contents(model, &artifact, &weights)?;
        Ok(PreparedModel {
            name: model.entry.name(),
            weights: weights.path,
            provenance: Provenance {
                source: model.source.identity.clone(),
                commit: model.source.commit.as_ref().map(|commit| commit.id.clone()),
                tree_hash: model.source.tree_hash.to_string(),
                model: model.entry.name(),
                artifact_sha256: artifact.sha256.clone(),
                weights_sha256: weights
                    .files
                    .iter()
                    .map(|(name, hash)| (name.clone(), hash.to_string()))
                    .collect(),
                settings: settings.options.clone(),
            },
            artifact,
        })
    }

    /// The built plugin of a model, once this machine meets its requirements and its code may run.
    ///
    /// # Errors
    /// When one of these is not so, or the plugin does not compile.
    pub fn plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Result<Artifact, ZooError> {
        self.require_plugin(model, settings)?;
        self.require_trust(model)?;
        self.build(model, settings)
    }

    /// Makes sure that there is a plugin, and that this machine is one for it, before anything is downloaded.
    pub(super) fn require_plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Result<(), ZooError> {
        if !model.manifest.has_plugin() {
            return Err(ZooError::NoPlugin {
                folder: model.manifest.folder.clone(),
                identity: model.source.identity.clone(),
            });
        }
        self.require_requirements(model, settings.device)
    }

    /// Makes sure that this machine has what the model needs on `device`. By the configuration's
    /// `requirement_error_level`, what is missing is an error (0) or a warning (1), or is not looked for (2).
    ///
    /// # Errors
    /// When something is missing.
    pub fn require_requirements(&self, model: &FoundModel, device: Device) -> Result<(), ZooError> {
        let level = self.settings.config.requirement_error_level;
        if level > 1 {
            return Ok(());
        }
        let unmet = self.unmet_requirements(model, device);
        match (unmet.is_empty(), level) {
            (true, _) => Ok(()),
            (false, 0) => Err(ZooError::Unmet {
                model: model.entry.name(),
                unmet,
            }),
            (false, _) => {
                unmet
                    .iter()
                    .for_each(|unmet| tracing::warn!("{}: {unmet}", model.entry.name()));
                Ok(())
            }
        }
    }

    /// What this machine lacks of what the model needs on `device`.
    pub fn unmet_requirements(&self, model: &FoundModel, device: Device) -> Vec<Unmet> {
        if model.entry.requirements.is_none() {
            return Vec::new();
        }
        // Our own version is a valid one; were it none, it would be no reason to refuse a model.
        let version = API_VERSION.parse().unwrap_or(Version::new(0, 0, 0));
        check_requirements(&model.entry, &Machine::detect(version, TARGET, features(device)))
    }

    /// Notes in the lock what was built and downloaded, and refuses what is not as locked.
    fn note_contents(
        &self,
        model: &FoundModel,
        artifact: &Artifact,
        weights: &Weights,
    ) -> Result<(), ZooError> {
        let Some(key) = model.lock_key() else {
            return Ok(());
        };
        let mut lock = self.lock();
        if let Ok(digest) = artifact.sha256.parse() {
            lock.built(&key, TARGET, digest)?;
        }
        for (file, digest) in &weights.files {
            lock.downloaded(&key, &model.entry.name(), file, *digest)?;
        }
        lock.save()?;
        Ok(())
    }

    fn build(&self, model: &FoundModel, settings: &LoadSettings) -> Result<Artifact, ZooError> {
        let (builder, request) = self.builder(model, settings)?;
        let observer = &self.settings.observer;
        let mut progress = |progress: BuildProgress| match progress {
            BuildProgress::Fetching => observer.notice(Event::FetchingCrates),
            BuildProgress::Compiling { done, total, last } => {
                observer.notice(Event::Building {
                    name: &last,
                    done: done as u64,
                    total: total as u64,
                });
            }
            _ => {}
        };
        let built = builder.build(&request, &mut progress);
        observer.notice(Event::Over);
        let built = built?;
        tracing::info!(artifact = %built.artifact.path.display(), new = built.is_new, "the plugin is there");
        Ok(built.artifact)
    }

    /// The builder of this store's plugins, and what to ask it for.
    pub(super) fn builder(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
    ) -> Result<(Builder, BuildRequest), ZooError> {
        let store = &self.settings.store;
        let build_folder = store.build_dir();
        fs_err::create_dir_all(&build_folder).map_err(|source| ZooError::BuildFolder {
            path: build_folder.clone(),
            source,
        })?;
        let mut request = BuildRequest::new(
            &model.manifest.folder,
            model.source.tree_hash.to_string(),
            &model.source.identity,
        );
        request.commit = model.source.commit.as_ref().map(|commit| commit.id.clone());
        request.is_offline = self.settings.offline;
        request.features = features(settings.device);
        Ok((Builder::new(build_folder, store.artifacts_dir()), request))
    }
}

/// The Cargo features that a device needs. `auto` asks for none: it takes what the plugin was built with.
fn features(device: Device) -> Vec<String> {
    match device {
        Device::Cuda(_) => vec!["cuda".to_owned()],
        Device::Metal => vec!["metal".to_owned()],
        _ => Vec::new(),
    }
}
