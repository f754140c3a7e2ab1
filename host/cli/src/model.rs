//! Models as a program sees them.

use modelzoo_data::input::{InputError, Inputs, MediaKind};
use modelzoo_engine::{
    EngineError, LabeledItem, PipelineOptions, Summary,
    zoo::{LoadSettings, Provenance, Zoo, ZooError, ZooSettings},
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
}

/// Applies `model` to the pictures of `input` (a folder, a glob, a file, or a .txt file that lists some), and hands
/// each with its labels to `sink`, in order. The labels are in the field `predictions`.
///
/// # Errors
/// When the input cannot be found or the model not go on. A picture that fails is no error: its item says why.
pub fn apply_model(
    model: &Model,
    input: impl AsRef<Path>,
    mut sink: impl FnMut(LabeledItem) + Send,
) -> Result<Summary, Error> {
    let inputs = Inputs::resolve(&[input], &[MediaKind::Image])?;
    let (pipeline, predict) = (
        PipelineOptions::for_model(model.info()),
        PredictOptions::default(),
    );
    let sink = |item| {
        sink(item);
        Ok(())
    };
    Ok(modelzoo_engine::apply(
        model.loaded.as_ref(),
        inputs.iter(),
        "predictions",
        &pipeline,
        &predict,
        sink,
    )?)
}

/// Computes the embeddings of the pictures of `input`, and hands each to `sink`, in order, in the field `embeddings`.
///
/// # Errors
/// As for [`apply_model`]; also when the model has no embeddings.
pub fn compute_embeddings(
    model: &Model,
    input: impl AsRef<Path>,
    mut sink: impl FnMut(LabeledItem) + Send,
) -> Result<Summary, Error> {
    let inputs = Inputs::resolve(&[input], &[MediaKind::Image])?;
    let sink = |item| {
        sink(item);
        Ok(())
    };
    let pipeline = PipelineOptions::for_model(model.info());
    Ok(modelzoo_engine::embed(
        model.loaded.as_ref(),
        inputs.iter(),
        "embeddings",
        &pipeline,
        sink,
    )?)
}

/// The result of a batch of one.
fn only<T>(results: Vec<Result<T, PluginError>>) -> Result<T, Error> {
    results
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(PluginError::new("the model gave no result")))
        .map_err(Error::Model)
}
