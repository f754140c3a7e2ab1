//! A loaded model as a program sees it.

use crate::{
    calibration::{Loaded, Loader, OnBytes},
    error::Error,
};
use modelzoo_base::memory::MemoryBudget;
use modelzoo_data::{dataset::Existing, label::LabelFilter};
use modelzoo_engine::{
    Calibrated, EngineError, Input, LabeledItem, Outcome, ProgressCallback, PromptEmbedding, Provenance,
    Task, Work, embed_prompts,
};
use modelzoo_plugin_api::{
    Array, Error as PluginError, Image, ModelInfo, Output, PredictOptions, SampleFields,
};
use modelzoo_runtime::{CallError, Items, LoadedModel};
use std::{
    num::NonZeroUsize,
    sync::{Arc, Once},
    time::Duration,
};

/// A loaded model. Dropping it ends it.
#[derive(Debug)]
pub struct Model {
    loaded: Box<dyn LoadedModel>,
    loader: Arc<Loader>,
    on_bytes: OnBytes,
    /// What may not be expected of it is told when it is first used.
    told: Once,
    provenance: Provenance,
    loading_time: Duration,
    defaults: RunDefaults,
}

/// What counts where a task does not say it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RunDefaults {
    /// How many pictures the model gets at once, where it has no wish of its own either.
    pub(crate) batch_size: Option<NonZeroUsize>,
    /// How many bytes of pictures are held at a time.
    pub(crate) memory: Option<MemoryBudget>,
}

impl Model {
    pub(crate) fn new(
        (loaded, on_bytes): Loaded,
        loader: impl Into<Arc<Loader>>,
        provenance: Provenance,
        loading_time: Duration,
        defaults: RunDefaults,
    ) -> Self {
        Self {
            loaded,
            loader: loader.into(),
            told: Once::new(),
            provenance: Provenance {
                calibration: on_bytes.calibrated().cloned(),
                ..provenance
            },
            on_bytes,
            loading_time,
            defaults,
        }
    }

    /// The same model with what bytes stand for found on the first pictures of `input`, where it is to be computed on bytes
    /// ([`Precision::Int8`](crate::Precision::Int8)) and that was not found yet, or on fewer pictures than there are here.
    /// It computes on bytes where it then says nearly the same of these pictures as in `f32`, and in `f32` otherwise; what was
    /// found is kept in the store. [`Provenance::calibration`] has how far it says the same. `None` where there is nothing to
    /// be done.
    ///
    /// # Errors
    /// When the model cannot do `task`, or not be loaded any longer. A model that cannot be computed on bytes, or says
    /// something else then, is no error: a warning is logged.
    pub fn calibrated(
        &self,
        task: &Task,
        input: &Input,
        progress: Option<&ProgressCallback>,
    ) -> Result<Option<Self>, Error> {
        if !self.loader.is_due(&self.on_bytes, input)? {
            return Ok(None);
        }
        let waiting = matches!(self.on_bytes, OnBytes::NotYet).then_some(self.loaded.as_ref());
        let mut task = task.clone();
        let memory = &mut task.run_options_mut().memory;
        *memory = memory.or(self.defaults.memory);
        Ok(Some(Self::new(
            self.loader.calibrate(waiting, &task, input, progress)?,
            Arc::clone(&self.loader),
            self.provenance.clone(),
            self.loading_time,
            self.defaults,
        )))
    }

    /// How the model was calibrated, where it computes in `f32` because on bytes it would say something else.
    pub fn refused(&self) -> Option<&Calibrated> {
        match &self.on_bytes {
            OnBytes::Refused(calibrated) => Some(calibrated),
            _ => None,
        }
    }

    /// Logs, once, where a model that was to compute on bytes does not, or was calibrated on few pictures. Whatever asks the
    /// model does so as well.
    pub fn warn_of_precision(&self) {
        self.told.call_once(|| self.on_bytes.warn());
    }

    /// What it is and can do.
    pub fn info(&self) -> &ModelInfo {
        self.loaded.info()
    }

    /// Where it comes from, by content.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// How long it took to load it, once it was built and its weights were here: the start of its process, and reading
    /// the weights.
    pub fn loading_time(&self) -> Duration {
        self.loading_time
    }

    /// The model without what this library adds: batches, whole videos, inputs that are prepared apart.
    pub fn loaded(&self) -> &dyn LoadedModel {
        self.loaded.as_ref()
    }

    /// Says what `image` shows. What the options leave out is not there, whether the model minds them or not.
    ///
    /// # Errors
    /// When the model fails on this picture, or cannot be used any longer.
    pub fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output, Error> {
        only(self.predict_all(std::slice::from_ref(image), options)?)
    }

    /// Says what each of `images` shows, in their order, as [`Model::predict`] does. They may differ in size, and go to
    /// the model at once; an inner error concerns one of them.
    ///
    /// # Errors
    /// When the model cannot be used any longer.
    pub fn predict_all(
        &self,
        images: &[Image<'_>],
        options: &PredictOptions,
    ) -> Result<Vec<Result<Output, CallError>>, Error> {
        self.warn_of_precision();
        Ok(filtered(self.loaded.predict(images, options)?, options))
    }

    /// Says what each image shows, as [`Model::predict_all`] does, given the fields of its sample that the model needs
    /// ([`ModelInfo::needed_fields`]).
    ///
    /// # Errors
    /// When the model takes no fields, or cannot be used any longer.
    pub fn predict_samples(
        &self,
        samples: &[(Image<'_>, SampleFields)],
        options: &PredictOptions,
    ) -> Result<Vec<Result<Output, CallError>>, Error> {
        self.warn_of_precision();
        Ok(filtered(self.loaded.predict_samples(samples, options)?, options))
    }

    /// Computes the embedding of `image`.
    ///
    /// # Errors
    /// As for [`Model::predict`]; also when the model has no embeddings.
    pub fn embed(&self, image: &Image<'_>) -> Result<Array, Error> {
        only(self.embed_all(std::slice::from_ref(image))?)
    }

    /// Computes the embedding of each of `images`, in their order. They may differ in size, and go to the model at once;
    /// an inner error concerns one of them.
    ///
    /// # Errors
    /// When the model has no embeddings, or cannot be used any longer.
    pub fn embed_all(&self, images: &[Image<'_>]) -> Result<Vec<Result<Array, CallError>>, Error> {
        self.warn_of_precision();
        Ok(self.loaded.embed(images)?)
    }

    /// Computes the embeddings of texts, in their order, comparable to those of pictures.
    ///
    /// # Errors
    /// When the model has no embeddings of texts, or cannot be used any longer.
    pub fn embed_prompts(&self, prompts: &[String]) -> Result<Vec<PromptEmbedding>, Error> {
        self.warn_of_precision();
        Ok(embed_prompts(self.loaded.as_ref(), prompts)?)
    }

    /// Does `task` with the samples of `input`, and hands each to `sink`, in order. What [`apply_model`](crate::apply_model),
    /// [`compute_embeddings`](crate::compute_embeddings) and
    /// [`compute_patch_embeddings`](crate::compute_patch_embeddings) do, for inputs of any kind and datasets whose values
    /// may be replaced.
    ///
    /// # Errors
    /// When the model cannot do it or go on, or the dataset cannot be read or written.
    pub fn run(
        &self,
        task: &Task,
        input: &mut Input,
        existing: Existing,
        mut sink: impl FnMut(LabeledItem) + Send,
    ) -> Result<Outcome, Error> {
        Ok(self.begin(task, input, existing)?.run(|item| {
            sink(item);
            Ok(())
        })?)
    }

    /// Makes sure that the model can do `task`, and, where the input is a dataset, takes the right to fill the field. What
    /// [`Model::run`] begins with, for a program that wants to know how much there is to do, or may fail to take results.
    ///
    /// # Errors
    /// When the model cannot do it; when the field is being filled by another process, or has values of other origin and
    /// `existing` does not say that they may be replaced.
    pub fn begin<'a>(
        &'a self,
        task: &'a Task,
        input: &'a mut Input,
        existing: Existing,
    ) -> Result<Work<'a>, EngineError> {
        self.warn_of_precision();
        let work = Work::begin(self.loaded.as_ref(), &self.provenance, task, input, existing)?;
        Ok(work
            .with_default_batch_size(self.defaults.batch_size)
            .with_default_memory(self.defaults.memory))
    }
}

/// The outputs without what the options leave out: a model may leave that to the host.
fn filtered(mut outputs: Items<Output>, options: &PredictOptions) -> Items<Output> {
    let filter = LabelFilter {
        confidence_threshold: options.confidence_threshold,
        classes: options.classes.clone(),
    };
    for output in outputs.iter_mut().flatten() {
        output.for_each_label(&mut |label| filter.apply(label));
    }
    outputs
}

/// The result of a batch of one.
fn only<T>(results: Items<T>) -> Result<T, Error> {
    results
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(PluginError::new("the model gave no result").into()))
        .map_err(Error::Model)
}
