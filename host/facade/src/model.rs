//! Models as a program sees them.

use crate::zoo::{LoadSettings, Zoo, ZooError, ZooSettings};
use modelzoo_data::{dataset::Existing, input::InputError};
use modelzoo_engine::{
    ApplyOptions, EmbedOptions, EngineError, Input, LabeledItem, Outcome, PatchOptions, PromptEmbedding,
    Provenance, Task, Work, embed_prompts,
};
use modelzoo_plugin_api::{Array, Error as PluginError, Image, ModelInfo, Output, PredictOptions};
use modelzoo_runtime::{LoadedModel, RuntimeError};
use std::path::Path;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model cannot be had.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// The inputs cannot be found.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A run ended before its end.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The plugin cannot be used any longer.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The model failed on this picture.
    #[error("{0}")]
    Model(PluginError),
}

/// A loaded model. Dropping it ends it.
#[derive(Debug)]
pub struct Model {
    loaded: Box<dyn LoadedModel>,
    provenance: Provenance,
}

/// Fetches, builds and loads the model of `source`: `user/repo[@ref]`, a Git or archive URL, or a local folder. Of
/// several models it takes the one after `#`: `user/repo@ref#name`.
///
/// # Errors
/// When the model cannot be had.
pub fn load_model(source: &str, settings: LoadSettings) -> Result<Model, Error> {
    let (source, name) = source
        .split_once('#')
        .map_or((source, None), |(source, name)| (source, Some(name)));
    let zoo = Zoo::new(ZooSettings::of_user()?)?;
    let prepared = zoo.prepare_model(&zoo.find_model(source, name)?, &settings)?;
    Ok(Model::new(
        zoo.load_model(&prepared, &settings)?,
        prepared.provenance,
    ))
}

impl Model {
    pub(crate) fn new(loaded: Box<dyn LoadedModel>, provenance: Provenance) -> Self {
        Self { loaded, provenance }
    }

    /// What it is and can do.
    pub fn info(&self) -> &ModelInfo {
        self.loaded.info()
    }

    /// Where it comes from, by content.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Says what `image` shows.
    ///
    /// # Errors
    /// When the model fails on this picture, or cannot be used any longer.
    pub fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output, Error> {
        only(self.loaded.predict(std::slice::from_ref(image), options)?)
    }

    /// Computes the embedding of `image`.
    ///
    /// # Errors
    /// As for [`Model::predict`]; also when the model has no embeddings.
    pub fn embed(&self, image: &Image<'_>) -> Result<Array, Error> {
        only(self.loaded.embed(std::slice::from_ref(image))?)
    }

    /// Computes the embeddings of texts, in their order, comparable to those of pictures.
    ///
    /// # Errors
    /// When the model has no embeddings of texts, or cannot be used any longer.
    pub fn embed_prompts(&self, prompts: &[String]) -> Result<Vec<PromptEmbedding>, Error> {
        Ok(embed_prompts(self.loaded.as_ref(), prompts)?)
    }

    /// Does `task` with the samples of `input`, and hands each to `sink`, in order. What [`apply_model`],
    /// [`compute_embeddings`] and [`compute_patch_embeddings`] do, for inputs of any kind and datasets whose values
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
        let work = Work::begin(self.loaded.as_ref(), &self.provenance, task, input, existing)?;
        Ok(work.run(|item| {
            sink(item);
            Ok(())
        })?)
    }
}

/// Applies `model` to the samples of `input`, and hands each with its labels to `sink`, in order: FiftyOne's
/// `apply_model`.
///
/// `input` is a folder, a glob, a picture, a video, a `.txt` file that lists some, a file with labels (JSON Lines,
/// COCO, a FiftyOne dataset's folder), or a dataset. The field of a dataset is filled as well, batch by batch: after a
/// crash the same call goes on where that one ended, and samples that are done are not handed on again.
///
/// # Errors
/// When the input cannot be found, the model cannot do what is asked or not go on, or the field has values of other
/// origin. A sample that fails is no error, unless the options say so: its item says why.
pub fn apply_model(
    model: &Model,
    input: impl AsRef<Path>,
    options: &ApplyOptions,
    sink: impl FnMut(LabeledItem) + Send,
) -> Result<Outcome, Error> {
    run(model, input, Task::Apply(options.clone()), sink)
}

/// Computes the embeddings of the pictures of `input`, and of the frames of its videos, and hands each sample to
/// `sink`, in order: FiftyOne's `compute_embeddings`. `input` is what it is for [`apply_model`].
///
/// # Errors
/// As for [`apply_model`]; also when the model has no embeddings.
pub fn compute_embeddings(
    model: &Model,
    input: impl AsRef<Path>,
    options: &EmbedOptions,
    sink: impl FnMut(LabeledItem) + Send,
) -> Result<Outcome, Error> {
    run(model, input, Task::Embed(options.clone()), sink)
}

/// Computes the embeddings of the objects in a field of the samples of `input`, and hands each sample to `sink`, in
/// order: FiftyOne's `compute_patch_embeddings`. Each object gets its embedding as an attribute. `input` is a dataset,
/// or a file with labels.
///
/// # Errors
/// As for [`compute_embeddings`]; also when a dataset has no such field.
pub fn compute_patch_embeddings(
    model: &Model,
    input: impl AsRef<Path>,
    options: &PatchOptions,
    sink: impl FnMut(LabeledItem) + Send,
) -> Result<Outcome, Error> {
    run(model, input, Task::EmbedPatches(options.clone()), sink)
}

fn run(
    model: &Model,
    input: impl AsRef<Path>,
    task: Task,
    sink: impl FnMut(LabeledItem) + Send,
) -> Result<Outcome, Error> {
    let mut input = Input::resolve(&[input])?;
    model.run(&task, &mut input, Existing::Resume, sink)
}

/// The result of a batch of one.
fn only<T>(results: Vec<Result<T, PluginError>>) -> Result<T, Error> {
    results
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(PluginError::new("the model gave no result")))
        .map_err(Error::Model)
}
