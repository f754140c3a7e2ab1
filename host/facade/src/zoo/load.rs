//! The one way from a model's name to the loaded model.

use super::{
    FoundModel, Zoo,
    find::Known,
    prepare::{Preparation, PreparedModel},
    services::Services,
};
use crate::{
    calibration::Loader,
    error::ZooError,
    model::{Model, RunDefaults},
    plan::{Plan, PlannedStep},
    settings::LoadSettings,
};
use modelzoo_data::media::shut_ffmpeg_in;
use modelzoo_engine::Provenance;
use modelzoo_plugin_api::LoadOptions;
use modelzoo_runtime::{PluginCode, PluginRunner};
use modelzoo_sources::reference::ModelRef;
use std::{path::PathBuf, sync::Arc, time::Instant};

/// The setting with which the plugin that is built in gets what a manifest says of a model.
const DEPLOYMENT: &str = "deployment";

/// What it takes to have a model loaded; then the model.
#[derive(Debug)]
pub struct LoadPlan<'a> {
    zoo: &'a Zoo,
    preparation: Known<Preparation<'a>>,
}

/// What it takes to have a model ready to be loaded without network; then where its weights are.
#[derive(Debug)]
pub struct DownloadPlan<'a>(LoadPlan<'a>);

/// A model that is ready to be loaded.
#[derive(Clone, Debug)]
pub struct DownloadedModel {
    /// The model.
    pub model: FoundModel,
    /// The file or folder of the weights; for models without weights, a path where nothing is.
    pub weights: PathBuf,
    /// Where it all comes from, by content.
    pub provenance: Provenance,
}

impl Zoo {
    /// Finds, builds and loads a model: `base_name[@version]`, or a source and which of its models,
    /// `user/repo[@ref][#name]` ([`ModelRef`] has every spelling).
    ///
    /// # Errors
    /// When there is no such model, its source is not trusted, this machine lacks what it needs, it does not compile or
    /// load, or its weights cannot be had.
    pub fn load(&self, model: &str) -> Result<Model, ZooError> {
        self.load_with(&self.parse_model(model, None)?, &LoadSettings::default())
    }

    /// The same, with settings.
    ///
    /// # Errors
    /// As for [`Zoo::load`].
    pub fn load_with(&self, model: &ModelRef, settings: &LoadSettings) -> Result<Model, ZooError> {
        self.plan_load(model, settings)?.execute()
    }

    /// What it takes to load a model.
    ///
    /// # Errors
    /// Where it is known already that it cannot be loaded.
    pub fn plan_load(&self, model: &ModelRef, settings: &LoadSettings) -> Result<LoadPlan<'_>, ZooError> {
        self.plan(model, settings, false)
    }

    /// What it takes to have a model ready to be loaded without network, and its source registered, so that it is known
    /// by name from then on. A folder that the user named is not registered: it may be gone tomorrow. `again` downloads
    /// weights that are there once more; the old ones stay until the new ones are whole.
    ///
    /// # Errors
    /// Where it is known already that the model cannot be had.
    pub fn plan_download(
        &self,
        model: &ModelRef,
        settings: &LoadSettings,
        again: bool,
    ) -> Result<DownloadPlan<'_>, ZooError> {
        self.plan(model, settings, again).map(DownloadPlan)
    }

    /// The plugin of a model; it is built unless it is there, or is built in.
    ///
    /// # Errors
    /// When there is no such model, its source is not trusted, this machine lacks what it needs, or it does not compile.
    pub fn build(&self, model: &ModelRef, settings: &LoadSettings) -> Result<PluginCode, ZooError> {
        Preparation::of(self, self.find(model)?, settings, false)?.build()
    }

    fn plan(&self, model: &ModelRef, settings: &LoadSettings, again: bool) -> Result<LoadPlan<'_>, ZooError> {
        let preparation = match self.or_deferred(self.find(model))? {
            Known::Here(model) => Known::Here(Preparation::of(self, model, settings, again)?),
            Known::Elsewhere { reference } => Known::Elsewhere { reference },
        };
        Ok(LoadPlan {
            zoo: self,
            preparation,
        })
    }

    fn load_prepared(&self, prepared: PreparedModel) -> Result<Model, ZooError> {
        let settings = &prepared.settings;
        let mut options = LoadOptions::default();
        options.device = self.device(settings);
        options.precision = settings.precision;
        options.threads = settings.threads;
        options.settings = settings.options.clone();
        if let Some(deployment) = prepared.model.deployment() {
            options
                .settings
                .insert(DEPLOYMENT.to_owned(), deployment.clone().into());
        }
        // What is decoded for the model is others' as well.
        shut_ffmpeg_in(self.sandbox(settings));
        let runner = self.runner(prepared.code, settings, None);
        let started = Instant::now();
        let loader = Loader::new(
            runner,
            prepared.model.entry.name(),
            prepared.weights,
            options,
            (&self.settings.store, &prepared.provenance),
        );
        let loaded = loader.load()?;
        Ok(Model::new(
            loaded,
            loader,
            prepared.provenance,
            started.elapsed(),
            RunDefaults {
                batch_size: self.settings.config.default_batch_size,
                memory: self.settings.config.default_memory,
            },
        ))
    }

    /// How a plugin is run, and the folder that it may download to.
    pub(super) fn runner(
        &self,
        code: PluginCode,
        settings: &LoadSettings,
        download_folder: Option<PathBuf>,
    ) -> PluginRunner {
        let services = Services {
            downloader: Arc::clone(&self.downloader),
            observer: Arc::clone(&self.settings.observer),
            cancellation: self.settings.cancellation.clone(),
            threads: settings.threads,
            download_folder,
        };
        let stall_timeout = settings
            .stall_timeout
            .unwrap_or(self.settings.config.plugin.stall_timeout);
        let mut runner = PluginRunner::new(code, Arc::new(services))
            .with_isolation(settings.isolation)
            .with_stall_timeout(stall_timeout)
            .with_sandbox(self.sandbox(settings));
        runner.worker_program.clone_from(&settings.worker_program);
        runner
    }
}

impl Plan for LoadPlan<'_> {
    type Step = PlannedStep;
    type Outcome = Model;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        Ok(match &self.preparation {
            Known::Here(preparation) => preparation.steps(),
            Known::Elsewhere { reference } => vec![PlannedStep::Fetch {
                source: reference.clone(),
            }],
        })
    }

    fn execute(self) -> Result<Model, ZooError> {
        self.zoo.load_prepared(self.preparation.here()?.execute()?)
    }
}

impl Plan for DownloadPlan<'_> {
    type Step = PlannedStep;
    type Outcome = DownloadedModel;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        self.0.steps()
    }

    fn execute(self) -> Result<DownloadedModel, ZooError> {
        let PreparedModel {
            model,
            weights,
            provenance,
            ..
        } = self.0.preparation.here()?.execute()?;
        if !model.source.reference.is_local_path() {
            self.0.zoo.registry().register(&model.source)?;
        }
        Ok(DownloadedModel {
            model,
            weights,
            provenance,
        })
    }
}
