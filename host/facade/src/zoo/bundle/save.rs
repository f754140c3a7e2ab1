//! Making a bundle of models: their sources, what their plugins are built of or were compiled to, and their weights.

use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
    settings::LoadSettings,
    zoo::{FoundModel, Zoo},
};
use modelzoo_base::{Sha256Digest, error::in_one_line, progress::Event};
use modelzoo_sources::{
    bundle::{BundleError, BundleWriter, BundledRevision, WrittenBundle},
    config::PluginOrigin,
    lock::{Lock, LockedSource, SourceKey},
    prebuilt::fetch,
    reference::{Location, ModelRef},
    source::SourceError,
    store::CommitRecord,
    weights::WeightsPlace,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What it takes to write a bundle; then the bundle.
#[derive(Debug)]
pub struct SaveBundlePlan<'a> {
    zoo: &'a Zoo,
    models: Vec<FoundModel>,
    path: PathBuf,
    target: String,
    settings: LoadSettings,
}

/// A bundle in the making.
struct Making<'a> {
    plan: &'a SaveBundlePlan<'a>,
    writer: BundleWriter,
    lock: Lock,
}

impl Zoo {
    /// What it takes to write a bundle of models, or of all models of sources, into the file `path`: for machines with the
    /// target triple `target`. A plugin that its author compiled for these goes in as it is, where `settings` let it be
    /// taken; otherwise what it is built of, on any machine.
    ///
    /// # Errors
    /// When there is no such model, or its source cannot be had or is a folder of this machine.
    pub fn plan_save_bundle(
        &self,
        models: &[ModelRef],
        path: &Path,
        target: &str,
        settings: &LoadSettings,
    ) -> Result<SaveBundlePlan<'_>, ZooError> {
        let mut found = Vec::new();
        for model in models {
            found.extend(self.find_all(model)?);
        }
        for model in &found {
            if let Location::Path(path) = model.source.reference.location() {
                return Err(BundleError::OfThisMachine { path: path.clone() }.into());
            }
            if !model.needs_no_code() && !model.manifest.has_plugin() {
                return Err(ZooError::NoPlugin {
                    identity: model.source.identity.clone(),
                });
            }
        }
        Ok(SaveBundlePlan {
            zoo: self,
            models: found,
            path: path.to_owned(),
            target: target.to_owned(),
            settings: settings.clone(),
        })
    }

    /// What the store knows of the commit, or of the archive, that a model is from.
    fn commit_record_of(&self, model: &FoundModel) -> Option<CommitRecord> {
        let store = &self.settings.store;
        match model.source.reference.location() {
            Location::Git(repository) => {
                store.commit_record(&repository.identity(), &model.source.commit.as_ref()?.id)
            }
            Location::Archive(url) => store.commit_record(url, &store.revision_record(url, "")?.commit),
            Location::Path(_) => None,
        }
    }
}

impl Making<'_> {
    fn add_source(&mut self, model: &FoundModel) -> Result<(), ZooError> {
        let (zoo, source) = (self.plan.zoo, &model.source);
        let record = zoo.commit_record_of(model).ok_or_else(|| SourceError::Offline {
            reference: source.reference.to_string(),
        })?;
        let asked = source.reference.revision().as_str().unwrap_or_default();
        let revision = BundledRevision {
            revision: asked.to_owned(),
            ref_name: source.commit.as_ref().and_then(|commit| commit.ref_name.clone()),
            subdirectory: None,
        };
        let root = zoo.settings.store.tree_path(&record.tree_hash);
        self.writer
            .add_source(&source.reference, record, vec![revision], &root)?;
        let locked = LockedSource::new(
            source.commit.as_ref().map(|commit| commit.id.clone()),
            source.tree_hash,
            Sha256Digest::of_file(source.path.join("Cargo.lock")).ok(),
        );
        let key = SourceKey::of(&source.reference);
        self.lock.sources.entry(key).or_insert(locked);
        Ok(())
    }

    fn add_weights(&mut self, model: &FoundModel) -> Result<(), ZooError> {
        let (zoo, settings) = (self.plan.zoo, &self.plan.settings);
        let store = &zoo.settings.store;
        let mut weights = zoo.weights(model, None, settings, false)?;
        let place = zoo.place(model);
        if let WeightsPlace::Stored(_) = place {
            let identity = &model.source.identity;
            let known = contents(model);
            if known.iter().any(|sha256| !store.weights_path(sha256).is_file()) {
                weights = zoo.weights(model, None, settings, true)?;
            }
            for sha256 in &known {
                self.writer.add_content(store.weights_path(sha256))?;
            }
            if known.is_empty() {
                let (name, folder) = (model.entry.name(), store.model_dir(identity, &model.entry.name()));
                self.writer
                    .add_model(&model.source.reference, &name, &folder, &weights.files)?;
            }
        }
        if let Some(locked) = self.lock.sources.get_mut(&SourceKey::of(&model.source.reference)) {
            locked.weights.insert(model.entry.name(), weights.files);
        }
        Ok(())
    }

    /// Adds the plugin that the author compiled, or what a plugin is built of.
    fn add_plugin(&mut self, model: &FoundModel) -> Result<(), ZooError> {
        let SaveBundlePlan {
            zoo,
            target,
            settings,
            ..
        } = self.plan;
        let mut has_prebuilt = false;
        for offer in zoo.prebuilt_offers_for(model, settings, target)? {
            let fetched = fetch(&offer, &zoo.settings.store, zoo.access());
            zoo.settings.observer.notice(Event::Over);
            match fetched {
                Ok(fetched) => {
                    self.writer
                        .add_prebuilt(&fetched.url, &fetched.archive, fetched.signature)?;
                    has_prebuilt = true;
                }
                Err(error) if error.is_absence() && zoo.origin(settings) != PluginOrigin::Prebuilt => {
                    tracing::info!("no prebuilt plugin: {}", in_one_line(&error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if has_prebuilt {
            return Ok(());
        }
        let (builder, request) = zoo.plugin_builder(model, settings)?;
        let files = builder.crate_files(&request, zoo.settings.observer.as_ref());
        zoo.settings.observer.notice(Event::Over);
        for file in files? {
            self.writer
                .add_crate(&model.source.reference, &file.name, file.version, file.path)?;
        }
        Ok(())
    }
}

/// The weights of a model that its source knows by their hash.
fn contents(model: &FoundModel) -> Vec<Sha256Digest> {
    match &model.manifest.published {
        Some(published) => published
            .kept_elsewhere()
            .map(|(_, pointer)| pointer.sha256)
            .collect(),
        None => {
            let manager = model.entry.manager.as_ref();
            manager.and_then(|manager| manager.sha256).into_iter().collect()
        }
    }
}

impl Plan for SaveBundlePlan<'_> {
    type Step = PlannedStep;
    type Outcome = WrittenBundle;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        let downloads = self
            .models
            .iter()
            .filter_map(|model| self.zoo.plan_weights(model, false));
        let sources = self.models.iter().map(|model| model.source.reference.to_string());
        let save = PlannedStep::SaveBundle {
            path: self.path.clone(),
            sources: BTreeSet::from_iter(sources).into_iter().collect(),
        };
        Ok(downloads.chain([save]).collect())
    }

    fn execute(self) -> Result<WrittenBundle, ZooError> {
        let settings = &self.zoo.settings;
        let mut making = Making {
            plan: &self,
            writer: BundleWriter::new(&settings.store)?,
            lock: Lock::default(),
        };
        let mut plugins = BTreeSet::new();
        for model in &self.models {
            making.add_source(model)?;
            making.add_weights(model)?;
            let plugin = (model.source.reference.to_string(), &model.manifest.folder);
            if !model.needs_no_code() && plugins.insert(plugin) {
                making.add_plugin(model)?;
            }
        }
        let Making { writer, lock, .. } = making;
        let written = writer.write(
            &self.path,
            &lock,
            settings.observer.as_ref(),
            &settings.cancellation,
        );
        settings.observer.notice(Event::Over);
        let written = written?;
        self.zoo.save_lock()?;
        Ok(written)
    }
}
