//! FiftyOne's operations as functions.

use crate::{error::Error, model::Model, settings::LoadSettings, zoo::Zoo};
use modelzoo_data::dataset::Existing;
use modelzoo_engine::{ApplyOptions, EmbedOptions, Input, LabeledItem, Outcome, PatchOptions, Task};
use std::path::Path;

/// Loads a model from the zoo of the user ([`Zoo::of_user`]): `base_name[@version]`, or a source and which of its models,
/// `user/repo[@ref][#name]`, a Git or archive URL, a local folder.
///
/// # Errors
/// As for [`Zoo::load`].
pub fn load_model(model: &str, settings: LoadSettings) -> Result<Model, Error> {
    let zoo = Zoo::of_user()?;
    Ok(zoo.load_with(&zoo.parse_model(model, None)?, &settings)?)
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
