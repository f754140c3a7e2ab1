//! Applying a loaded model to pictures, and computing embeddings with one.

use crate::{EngineError, Item, ItemError, PipelineOptions, Summary, pipeline};
use modelzoo_data::{
    input::{InputError, InputFile},
    label::{Fields, LabelFilter},
};
use modelzoo_plugin_api::{Image, Output, PredictOptions, label::Vector};
use modelzoo_runtime::LoadedModel;

/// A picture and the labels that a model gave it, by field.
pub type LabeledItem = Item<Fields>;

/// What a sink may fail with.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Applies `model` to the pictures in `files` and hands the labels of each to `sink`, in order. One label goes to
/// `label_field`; several go to `label_field`, `_` and their key.
///
/// # Errors
/// When the model cannot go on, or the sink fails. A picture that fails is no error: its item says why.
pub fn apply(
    model: &dyn LoadedModel,
    files: impl Iterator<Item = Result<InputFile, InputError>> + Send,
    label_field: &str,
    pipeline: &PipelineOptions,
    predict: &PredictOptions,
    mut sink: impl FnMut(LabeledItem) -> Result<(), SinkError> + Send,
) -> Result<Summary, EngineError> {
    if predict.store_logits && !model.info().has_logits {
        return Err(EngineError::Unsupported("has no logits to store"));
    }
    // A model may leave this to the host; filtering what it has filtered already changes nothing.
    let filter = LabelFilter {
        confidence_threshold: predict.confidence_threshold,
        classes: predict.classes.clone(),
    };
    let call = |images: &[Image<'_>]| model.predict(images, predict);
    pipeline::run(files, pipeline, call, |item| {
        sink(item.and_then(|output| {
            let mut fields = labels(output, label_field)?;
            filter.apply_to_fields(&mut fields);
            Ok(fields)
        }))
    })
}

/// Computes the embeddings of the pictures in `files` and hands each to `sink`, in order, as a vector in `field`.
///
/// # Errors
/// As for [`apply`]; also when the model has no embeddings.
pub fn embed(
    model: &dyn LoadedModel,
    files: impl Iterator<Item = Result<InputFile, InputError>> + Send,
    field: &str,
    pipeline: &PipelineOptions,
    mut sink: impl FnMut(LabeledItem) -> Result<(), SinkError> + Send,
) -> Result<Summary, EngineError> {
    if !model.info().has_embeddings {
        return Err(EngineError::Unsupported("has no embeddings"));
    }
    let call = |images: &[Image<'_>]| model.embed(images);
    pipeline::run(files, pipeline, call, |item| {
        sink(item.and_then(|embedding| labels(Output::from(Vector::new(embedding)), field)))
    })
}

/// The labels of one picture by field.
fn labels(output: Output, label_field: &str) -> Result<Fields, ItemError> {
    let fields = Fields::from_output(output, label_field)?;
    if fields.frames.is_empty() {
        Ok(fields)
    } else {
        Err(ItemError::FramesOfPicture)
    }
}
