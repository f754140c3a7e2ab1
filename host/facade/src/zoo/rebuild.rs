//! Whether compiled plugins are what their sources give.

use super::{FoundModel, Zoo};
use crate::{error::ZooError, settings::LoadSettings};
use modelzoo_base::{Sha256Digest, progress::Event};
use modelzoo_runtime::{ArtifactRecord, BuiltPlugin, Difference, Ingredient, Mismatch, UnfitPrebuilt};
use modelzoo_sources::{lock::SourceKey, reference::ModelRef};

/// A plugin that is here, beside what its source gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The source's identity.
    pub source: String,
    /// What is known of the plugin that is here.
    pub plugin: ArtifactRecord,
    /// How it compares.
    pub finding: Finding,
}

/// How a plugin compares to what its source gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is the same, byte for byte.
    Same,
    /// It was compiled as it would be here, and is something else.
    Different {
        /// What the source gives.
        sha256: Sha256Digest,
        /// In what they differ, what is here first.
        difference: Box<Difference>,
    },
    /// It was compiled otherwise, and this machine cannot tell.
    Unknown(Vec<Mismatch>),
}

impl Zoo {
    /// Compiles the plugin of `model` anew, or all those of a source, in an empty folder, and compares what comes of it
    /// with the one that is here: the one that was built, or that its author compiled. Where none is here and the author
    /// offers one, that is fetched first. It takes as long as the first build of all.
    ///
    /// # Errors
    /// When the source cannot be had, may not run, has no plugin, or does not compile.
    pub fn rebuild(&self, model: &ModelRef, settings: &LoadSettings) -> Result<Vec<Rebuilt>, ZooError> {
        let mut plugins: Vec<FoundModel> = Vec::new();
        for found in self.find_all(model)? {
            if !plugins
                .iter()
                .any(|one| one.manifest.folder == found.manifest.folder)
            {
                plugins.push(found);
            }
        }
        plugins
            .iter()
            .map(|found| self.rebuild_plugin(found, settings))
            .collect()
    }

    /// The sources of the lock, as a person would spell them.
    pub fn locked_sources(&self) -> Vec<String> {
        let lock = self.lock();
        let spelling = |key: &SourceKey| match &key.revision {
            Some(revision) => format!("{}@{revision}", key.identity),
            None => key.identity.clone(),
        };
        lock.lock().sources.keys().map(spelling).collect()
    }

    fn rebuild_plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Result<Rebuilt, ZooError> {
        let undecided = self.undecided(model)?;
        self.require_someone_to_ask(undecided.as_ref())?;
        let here = self.compiled_plugin(model, settings)?;
        if let Some(undecided) = undecided {
            // The question is that of a build, whoever compiled what is here.
            self.ask(model, settings, None, undecided)?;
        }
        let (builder, mut request) = self.plugin_builder(model, settings)?;
        if here.record.prebuilt.is_some() {
            request.is_portable = true;
            request.features.clone_from(&here.record.features);
        }
        let found = |finding| Rebuilt {
            source: model.source.identity.clone(),
            plugin: here.record.clone(),
            finding,
        };
        let mut mismatches = builder.mismatches(&request, &here.record)?;
        if !mismatches.is_empty() {
            return Ok(found(Finding::Unknown(mismatches)));
        }
        let folder = self.settings.store.stage()?;
        let observer = &self.settings.observer;
        let built = builder.anew_in(folder.path()).build(&request, observer.as_ref());
        observer.notice(Event::Over);
        let anew = built?;
        let difference = Difference::of(&here.artifact.path, &anew.artifact.path);
        let Some(difference) = difference.map_err(UnfitPrebuilt::from)? else {
            return Ok(found(Finding::Same));
        };
        if here.record.lock_sha256 != anew.record.lock_sha256 {
            mismatches.push(Mismatch {
                what: Ingredient::Crates,
                then: here.record.lock_sha256.clone(),
                here: anew.record.lock_sha256.clone(),
            });
            return Ok(found(Finding::Unknown(mismatches)));
        }
        Ok(found(Finding::Different {
            sha256: anew.artifact.sha256,
            difference: Box::new(difference),
        }))
    }

    /// The plugin of `model` that is here, or that its author offers.
    fn compiled_plugin(&self, model: &FoundModel, settings: &LoadSettings) -> Result<BuiltPlugin, ZooError> {
        let nothing = |is_compiled| ZooError::NothingCompiled {
            identity: model.source.identity.clone(),
            is_compiled,
        };
        if model.needs_no_code() || !model.manifest.has_plugin() {
            return Err(nothing(false));
        }
        let offers = self.prebuilt_offers(model, settings)?;
        if let Some(plugin) = self.plugin_here(model, &offers, settings)? {
            return Ok(plugin);
        }
        for offer in &offers {
            if let Some(plugin) = self.take_prebuilt(model, offer, settings)? {
                return Ok(plugin);
            }
        }
        Err(nothing(true))
    }
}
