//! Making a model ready: asking for consent, building its plugin, getting its weights.

use super::{FoundModel, Zoo, prebuilt::origin_of, published::built_in, weights::Weights};
use crate::{error::ZooError, plan::PlannedStep, settings::LoadSettings};
use modelzoo_base::{error::in_one_line, file::about, progress::Event};
use modelzoo_engine::Provenance;
use modelzoo_plugin_api::{API_VERSION, Device};
use modelzoo_runtime::{
    ArtifactRecord, BuildCrate, BuildError, BuildRequest, Builder, BuiltInPlugin, BuiltPlugin, PluginCode,
    Sandbox, TARGET,
};
use modelzoo_sources::{
    config::PluginOrigin,
    prebuilt::Offer,
    registry::{Machine, Unmet, check_requirements},
    source::{ResolvedSource, local_files},
    store::Store,
    trust::Undecided,
};
use semver::Version;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// What there is to do before a model can be loaded.
#[derive(Debug)]
pub(super) struct Preparation<'a> {
    zoo: &'a Zoo,
    model: FoundModel,
    settings: LoadSettings,
    /// What has to be asked, if anything.
    undecided: Option<Undecided>,
    /// The plugin, where it is here already or built in.
    plugin: Option<Plugin>,
    /// The plugins that the author compiled and that may be taken instead of building, the best first.
    offers: Vec<Offer>,
    /// Whether weights that are there are downloaded once more.
    again: bool,
}

/// A plugin that is ready to be opened.
#[derive(Debug)]
enum Plugin {
    BuiltIn(BuiltInPlugin),
    Kept(Box<BuiltPlugin>),
}

impl Plugin {
    fn kept(plugin: BuiltPlugin) -> Self {
        Self::Kept(Box::new(plugin))
    }

    fn code(&self) -> PluginCode {
        match self {
            Self::BuiltIn(plugin) => PluginCode::BuiltIn(*plugin),
            Self::Kept(plugin) => plugin.artifact.clone().into(),
        }
    }

    /// What is known of it, where it is not built in.
    fn record(&self) -> Option<&ArtifactRecord> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Kept(plugin) => Some(&plugin.record),
        }
    }
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
        let mut offers = Vec::new();
        let (undecided, plugin) = if model.needs_no_code() {
            // Nobody is asked, because no code of it runs; but what is denied is not used at all.
            zoo.refuse_denied(&model)?;
            (None, built_in(&model)?.map(Plugin::BuiltIn))
        } else {
            let undecided = zoo.undecided(&model)?;
            offers = zoo.prebuilt_offers(&model, settings)?;
            let plugin = zoo.plugin_here(&model, &offers, settings)?;
            (undecided, plugin.map(Plugin::kept))
        };
        Ok(Self {
            zoo,
            model,
            settings: settings.clone(),
            undecided,
            plugin,
            offers,
            again,
        })
    }

    pub(super) fn steps(&self) -> Vec<PlannedStep> {
        let source = &self.model.source.identity;
        let ask = self.undecided.as_ref().map(|undecided| PlannedStep::Ask {
            source: source.clone(),
            allow: undecided.source.clone(),
        });
        let build = self.plugin.is_none().then(|| match self.offers.first() {
            Some(offer) => PlannedStep::TakePrebuilt {
                source: source.clone(),
                from: offer.urls.clone(),
            },
            None => PlannedStep::Build {
                source: source.clone(),
            },
        });
        let download = self.zoo.plan_weights(&self.model, self.again);
        [ask, build, download].into_iter().flatten().collect()
    }

    /// Asks, and takes a prebuilt plugin or builds one, where that is to be done.
    pub(super) fn build(&mut self) -> Result<PluginCode, ZooError> {
        Ok(self.ready_plugin()?.code())
    }

    fn ready_plugin(&mut self) -> Result<Plugin, ZooError> {
        self.zoo.require_someone_to_ask(self.undecided.as_ref())?;
        if let Some(plugin) = self.plugin.take() {
            self.ask(plugin.record())?;
            return Ok(plugin);
        }
        if let Some(plugin) = self.first_prebuilt()? {
            return Ok(Plugin::kept(plugin));
        }
        self.ask(None)?;
        Ok(Plugin::kept(self.zoo.build_plugin(&self.model, &self.settings)?))
    }

    /// The first prebuilt plugin that can be had and loads here. What is not what it must be is an error; of what does not
    /// load, the last one is, if nothing may be built instead.
    fn first_prebuilt(&mut self) -> Result<Option<BuiltPlugin>, ZooError> {
        let mut refused = None;
        for offer in std::mem::take(&mut self.offers) {
            let Some(plugin) = self.zoo.take_prebuilt(&self.model, &offer, &self.settings)? else {
                continue;
            };
            self.ask(Some(&plugin.record))?;
            match self
                .zoo
                .try_prebuilt(&self.model, &offer, &plugin, &self.settings)
            {
                Ok(()) => return Ok(Some(plugin)),
                Err(error) => {
                    tracing::warn!(
                        "the prebuilt plugin {} is not used: {}",
                        offer.file,
                        in_one_line(&error)
                    );
                    refused = Some(error);
                }
            }
        }
        match refused {
            Some(error) if self.zoo.origin(&self.settings) == PluginOrigin::Prebuilt => Err(error),
            _ => Ok(None),
        }
    }

    /// Asks whether the plugin may run, unless that is decided.
    fn ask(&mut self, record: Option<&ArtifactRecord>) -> Result<(), ZooError> {
        match self.undecided.take() {
            Some(undecided) => {
                let prebuilt = record.and_then(|record| record.prebuilt.as_ref());
                self.zoo.ask(&self.model, &self.settings, prebuilt, undecided)
            }
            None => Ok(()),
        }
    }

    /// Does all of it, and notes what came of it in the lock.
    pub(super) fn execute(mut self) -> Result<PreparedModel, ZooError> {
        let plugin = self.ready_plugin()?;
        let code = plugin.code();
        let Self {
            zoo, model, settings, ..
        } = self;
        let weights = zoo.weights(&model, Some(&code), &settings, self.again)?;
        zoo.note_contents(&model, &plugin, &weights)?;
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
            prebuilt_sha256: plugin
                .record()
                .and_then(origin_of)
                .map(|(_, archive)| archive.to_string()),
            built_in,
            weights_sha256: weights
                .files
                .iter()
                .map(|(name, hash)| (name.clone(), hash.to_string()))
                .collect(),
            settings: settings.options.clone(),
            calibration: None,
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
    fn note_contents(&self, model: &FoundModel, plugin: &Plugin, weights: &Weights) -> Result<(), ZooError> {
        let Some(key) = model.lock_key() else {
            return Ok(());
        };
        let mut lock = self.lock();
        match plugin {
            Plugin::BuiltIn(plugin) => lock.runs_built_in(&key, &plugin.to_string())?,
            Plugin::Kept(plugin) => match (origin_of(&plugin.record), plugin.artifact.sha256) {
                (None, artifact) => lock.built(&key, TARGET, artifact)?,
                (Some((variant, archive)), artifact) => {
                    lock.took_prebuilt(&key, TARGET, variant, archive, artifact)?;
                }
            },
        }
        for (file, digest) in &weights.files {
            lock.downloaded(&key, &model.entry.name(), file, *digest)?;
        }
        lock.save()?;
        Ok(())
    }

    fn build_plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Result<BuiltPlugin, ZooError> {
        let (builder, request) = self.plugin_builder(model, settings)?;
        let observer = &self.settings.observer;
        let built = builder.build(&request, observer.as_ref());
        observer.notice(Event::Over);
        let built = built?;
        tracing::info!(artifact = %built.artifact.path.display(), new = built.is_new, "the plugin is there");
        Ok(built)
    }

    /// The plugin of `model` that is here already: one of `offers` that was taken before, or one that was built, where
    /// that may be.
    pub(super) fn plugin_here(
        &self,
        model: &FoundModel,
        offers: &[Offer],
        settings: &LoadSettings,
    ) -> Result<Option<BuiltPlugin>, ZooError> {
        let taken = self.taken_prebuilt(model, offers);
        if taken.is_some() || self.origin(settings) == PluginOrigin::Prebuilt {
            return Ok(taken);
        }
        let (builder, request) = self.plugin_builder(model, settings)?;
        match builder.find(&request) {
            // Who takes what others compiled needs no compiler.
            Err(BuildError::NoTool { .. }) if !offers.is_empty() => Ok(None),
            found => Ok(found?),
        }
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
        let offers = self.prebuilt_offers(model, settings).ok()?;
        // Without a compiler nothing is known of what it built, either.
        Some(self.plugin_here(model, &offers, settings).ok()??.record)
    }

    /// The builder of this store's plugins, and what to ask it for.
    pub(super) fn plugin_builder(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
    ) -> Result<(Builder, BuildRequest), ZooError> {
        let (builder, mut request) = self.builder_for(&model.source, &model.manifest.folder, settings)?;
        request.features = features(self.device(settings));
        Ok((builder, request))
    }

    /// The builder of this store's plugins, and what to ask it for to build the one in the folder `plugin` of `source`.
    pub(super) fn builder_for(
        &self,
        source: &ResolvedSource,
        plugin: &Path,
        settings: &LoadSettings,
    ) -> Result<(Builder, BuildRequest), ZooError> {
        let store = &self.settings.store;
        let build_folder = store.build_dir();
        fs_err::create_dir_all(&build_folder).map_err(|error| ZooError::BuildFolder {
            path: build_folder.clone(),
            source: about(&build_folder, error),
        })?;
        let mut request = BuildRequest::new(plugin, source.tree_hash.to_string(), &source.identity);
        let folder = plugin.strip_prefix(&source.root).unwrap_or(plugin);
        let parts: Vec<_> = folder.iter().map(OsStr::to_string_lossy).collect();
        request.folder = parts.join("/");
        request.files = files_of(source, store, &request.folder)?;
        request.commit = source.commit.as_ref().map(|commit| commit.id.clone());
        request.is_offline = self.settings.offline();
        request.crates = store.crates_of(&source.tree_hash);
        request.sandbox = self.sandbox(settings);
        let builder = Builder::new(build_folder, store.artifacts_dir());
        Ok(match &settings.worker_program {
            Some(program) => (builder.with_guard_program(program), request),
            None => (builder, request),
        })
    }
}

/// What in the folder `folder` of a source that is used where it is belongs to the source; `None` for one in the store, all of
/// which does. What its hash leaves out is not built either.
fn files_of(
    source: &ResolvedSource,
    store: &Store,
    folder: &str,
) -> Result<Option<BTreeSet<String>>, ZooError> {
    if source.root.starts_with(store.root()) {
        return Ok(None);
    }
    let prefix = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let files = local_files(&source.root)?.into_iter();
    let below = files.filter_map(|file| file.strip_prefix(&prefix).map(str::to_owned));
    Ok(Some(below.collect()))
}

/// The Cargo features that a device needs. `auto` asks for none: it takes what the plugin was built with.
fn features(device: Device) -> Vec<String> {
    match device {
        Device::Cuda(_) => vec!["cuda".to_owned()],
        Device::Metal => vec!["metal".to_owned()],
        _ => Vec::new(),
    }
}
