//! Making a model ready: asking for consent, building its plugin, getting its weights.

use super::{FoundModel, Zoo, published::built_in, weights::Weights};
use crate::{error::ZooError, plan::PlannedStep, settings::LoadSettings};
use modelzoo_base::{file::about, progress::Event};
use modelzoo_engine::Provenance;
use modelzoo_plugin_api::{API_VERSION, Device};
use modelzoo_runtime::{
    Artifact, ArtifactRecord, BuildCrate, BuildRequest, Builder, PluginCode, Sandbox, TARGET,
};
use modelzoo_sources::{
    registry::{Machine, Unmet, check_requirements},
    trust::Undecided,
};
use semver::Version;
use std::path::PathBuf;

/// What there is to do before a model can be loaded.
#[derive(Debug)]
pub(super) struct Preparation<'a> {
    zoo: &'a Zoo,
    model: FoundModel,
    settings: LoadSettings,
    /// What has to be asked, if anything.
    undecided: Option<Undecided>,
    /// The plugin, where it is built already or built in.
    code: Option<PluginCode>,
    /// Whether weights that are there are downloaded once more.
    again: bool,
}

/// A model whose plugin is built and whose weights are here.
#[derive(Debug)]
pub(super) struct PreparedModel {
    pub(super) model: FoundModel,
    pub(super) settings: LoadSettings,
    /// The plugin.
    pub(super) code: PluginCode,
    /// The file or folder of the weights; for models without weights, a path where nothing is.
    pub(super) weights: PathBuf,
    /// Where it all comes from.
    pub(super) provenance: Provenance,
}

impl<'a> Preparation<'a> {
    /// Looks at what is here already. This machine has to meet the model's requirements before anything is done for it.
    pub(super) fn of(
        zoo: &'a Zoo,
        model: FoundModel,
        settings: &LoadSettings,
        again: bool,
    ) -> Result<Self, ZooError> {
        zoo.require_plugin(&model, settings)?;
        let (undecided, code) = if model.needs_no_code() {
            // Nobody is asked, because no code of it runs; but what is denied is not used at all.
            zoo.refuse_denied(&model)?;
            (None, built_in(&model)?.map(Into::into))
        } else {
            let undecided = zoo.undecided(&model)?;
            let (builder, request) = zoo.plugin_builder(&model, settings)?;
            let built = builder.find(&request)?;
            (undecided, built.map(|built| built.artifact.into()))
        };
        Ok(Self {
            zoo,
            model,
            settings: settings.clone(),
            undecided,
            code,
            again,
        })
    }

    pub(super) fn steps(&self) -> Vec<PlannedStep> {
        let source = &self.model.source.identity;
        let ask = self.undecided.as_ref().map(|undecided| PlannedStep::Ask {
            source: source.clone(),
            allow: undecided.source.clone(),
        });
        let build = self.code.is_none().then(|| PlannedStep::Build {
            source: source.clone(),
        });
        let download = self.zoo.plan_weights(&self.model, self.again);
        [ask, build, download].into_iter().flatten().collect()
    }

    /// Asks and builds, where that is to be done.
    pub(super) fn build(&mut self) -> Result<PluginCode, ZooError> {
        if let Some(undecided) = self.undecided.take() {
            self.zoo.ask(&self.model, &self.settings, undecided)?;
        }
        match &self.code {
            Some(code) => Ok(code.clone()),
            None => Ok(self.zoo.build_plugin(&self.model, &self.settings)?.into()),
        }
    }

    /// Does all of it, and notes what came of it in the lock.
    pub(super) fn execute(mut self) -> Result<PreparedModel, ZooError> {
        let code = self.build()?;
        let Self {
            zoo, model, settings, ..
        } = self;
        let weights = zoo.weights(&model, &code, &settings, self.again)?;
        zoo.note_contents(&model, &code, &weights)?;
        let (artifact_sha256, built_in) = match &code {
            PluginCode::Library(artifact) => (Some(artifact.sha256.to_string()), None),
            PluginCode::BuiltIn(plugin) => (None, Some(plugin.to_string())),
        };
        let provenance = Provenance {
            source: model.source.identity.clone(),
            commit: model.source.commit.as_ref().map(|commit| commit.id.clone()),
            tree_hash: model.source.tree_hash.to_string(),
            model: model.entry.name(),
            artifact_sha256,
            built_in,
            weights_sha256: weights
                .files
                .iter()
                .map(|(name, hash)| (name.clone(), hash.to_string()))
                .collect(),
            settings: settings.options.clone(),
        };
        Ok(PreparedModel {
            model,
            settings,
            code,
            weights: weights.path,
            provenance,
        })
    }
}

impl Zoo {
    /// Makes sure that there is a plugin, and that this machine is one for it, before anything is downloaded.
    fn require_plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Result<(), ZooError> {
        if !model.needs_no_code() && !model.manifest.has_plugin() {
            return Err(ZooError::NoPlugin {
                identity: model.source.identity.clone(),
            });
        }
        self.require_requirements(model, settings)
    }

    /// Makes sure that this machine has what the model needs where it is to run. By the configuration's
    /// `requirement_error_level`, what is missing is an error (0) or a warning (1), or is not looked for (2).
    ///
    /// # Errors
    /// When something is missing.
    pub fn require_requirements(&self, model: &FoundModel, settings: &LoadSettings) -> Result<(), ZooError> {
        let level = self.settings.config.requirement_error_level;
        if level > 1 {
            return Ok(());
        }
        let unmet = self.unmet_requirements(model, settings);
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

    /// Whether other people's code is shut in.
    pub(super) fn sandbox(&self, settings: &LoadSettings) -> Sandbox {
        settings.sandbox.unwrap_or(self.settings.config.plugin.sandbox)
    }

    /// Where a model is to run.
    pub(super) fn device(&self, settings: &LoadSettings) -> Device {
        settings.device.unwrap_or(self.settings.config.default_device)
    }

    /// What this machine lacks of what the model needs where it is to run.
    pub fn unmet_requirements(&self, model: &FoundModel, settings: &LoadSettings) -> Vec<Unmet> {
        if model.entry.requirements.is_none() {
            return Vec::new();
        }
        // Our own version is a valid one; were it none, it would be no reason to refuse a model.
        let version = API_VERSION.parse().unwrap_or(Version::new(0, 0, 0));
        check_requirements(
            &model.entry,
            &Machine::detect(version, TARGET, features(self.device(settings))),
        )
    }

    /// Notes in the lock what was built and downloaded, and refuses what is not as locked.
    fn note_contents(
        &self,
        model: &FoundModel,
        code: &PluginCode,
        weights: &Weights,
    ) -> Result<(), ZooError> {
        let Some(key) = model.lock_key() else {
            return Ok(());
        };
        let mut lock = self.lock();
        match code {
            PluginCode::Library(artifact) => lock.built(&key, TARGET, artifact.sha256)?,
            PluginCode::BuiltIn(plugin) => lock.runs_built_in(&key, &plugin.to_string())?,
        }
        for (file, digest) in &weights.files {
            lock.downloaded(&key, &model.entry.name(), file, *digest)?;
        }
        lock.save()?;
        Ok(())
    }

    fn build_plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Result<Artifact, ZooError> {
        let (builder, request) = self.plugin_builder(model, settings)?;
        let observer = &self.settings.observer;
        let built = builder.build(&request, observer.as_ref());
        observer.notice(Event::Over);
        let built = built?;
        tracing::info!(artifact = %built.artifact.path.display(), new = built.is_new, "the plugin is there");
        Ok(built.artifact)
    }

    /// The crates that building the plugin of `model` compiles. Nothing of them runs to find out.
    pub(super) fn plugin_crates(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
    ) -> Result<Vec<BuildCrate>, ZooError> {
        let (builder, request) = self.plugin_builder(model, settings)?;
        let observer = &self.settings.observer;
        let crates = builder.crates(&request, observer.as_ref());
        observer.notice(Event::Over);
        Ok(crates?)
    }

    /// What is known of the plugin of `model`, where it is built for the device that `settings` name; nothing is built.
    pub fn built_plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Option<ArtifactRecord> {
        if !model.manifest.has_plugin() || model.manifest.published.is_some() {
            return None;
        }
        let (builder, request) = self.plugin_builder(model, settings).ok()?;
        // Without a compiler nothing is known of what it built, either.
        Some(builder.find(&request).ok()??.record)
    }

    /// The builder of this store's plugins, and what to ask it for.
    fn plugin_builder(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
    ) -> Result<(Builder, BuildRequest), ZooError> {
        let store = &self.settings.store;
        let build_folder = store.build_dir();
        fs_err::create_dir_all(&build_folder).map_err(|error| ZooError::BuildFolder {
            path: build_folder.clone(),
            source: about(&build_folder, error),
        })?;
        let mut request = BuildRequest::new(
            &model.manifest.folder,
            model.source.tree_hash.to_string(),
            &model.source.identity,
        );
        request.commit = model.source.commit.as_ref().map(|commit| commit.id.clone());
        request.is_offline = self.settings.offline();
        request.features = features(self.device(settings));
        request.sandbox = self.sandbox(settings);
        let builder = Builder::new(build_folder, store.artifacts_dir());
        Ok(match &settings.worker_program {
            Some(program) => (builder.with_guard_program(program), request),
            None => (builder, request),
        })
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
