//! Exporting a dataset.

use super::{ExportOptions, Format, FormatError, Summary, create};
use crate::{
    dataset::{Dataset, FieldInfo, Selection},
    record::class_names,
};
use std::{collections::BTreeSet, path::Path};

/// Writes the selected samples and fields of a dataset to `path`, in their order.
///
/// What the options leave open is taken from the dataset: the fields, the classes and keypoints of the models that made
/// them (or else the classes that occur, by name), and the models' identity.
pub fn export_dataset(
    dataset: &Dataset,
    selection: &Selection,
    format: Format,
    path: impl AsRef<Path>,
    options: &ExportOptions,
) -> Result<Summary, FormatError> {
    export_dataset_with_progress(dataset, selection, format, path, options, || ())
}

/// As [`export_dataset`], calling `written` after each sample.
pub fn export_dataset_with_progress(
    dataset: &Dataset,
    selection: &Selection,
    format: Format,
    path: impl AsRef<Path>,
    options: &ExportOptions,
    mut written: impl FnMut(),
) -> Result<Summary, FormatError> {
    let mut options = options.clone();
    let fields: Vec<FieldInfo> = dataset
        .fields()?
        .into_iter()
        .filter(|field| selection.has_field(&field.name))
        .collect();
    complete_names(dataset, selection, format, &fields, &mut options)?;
    for run in dataset.runs()? {
        let made = |field: &FieldInfo| field.run.as_deref() == Some(run.field.as_str());
        for field in fields.iter().filter(|field| made(field)) {
            let mut fact = |name: &str, value: &str| {
                let key = format!("{}.{name}", field.name);
                options.facts.entry(key).or_insert_with(|| value.to_owned());
            };
            fact("source", &run.provenance.source);
            fact("model", &run.provenance.model);
            if let Some(commit) = &run.provenance.commit {
                fact("commit", commit);
            }
        }
    }
    options.fields = Some(fields);
    let samples = dataset.samples(selection)?;
    let mut writer = create(format, path, &options)?;
    for sample in samples {
        writer.write(&sample?.record)?;
        written();
    }
    writer.finish()
}

fn complete_names(
    dataset: &Dataset,
    selection: &Selection,
    format: Format,
    fields: &[FieldInfo],
    options: &mut ExportOptions,
) -> Result<(), FormatError> {
    if options.keypoints.is_empty()
        && let Some(field) = fields
            .iter()
            .find(|field| !field.description.keypoints.is_empty())
    {
        options.keypoints = field.description.keypoints.clone();
        options.skeleton = field.description.skeleton.clone();
        options.skeletons = field.description.skeletons.clone();
    }
    if options.classes.is_empty() {
        for class in fields.iter().flat_map(|field| &field.description.classes) {
            if !options.classes.contains(class) {
                options.classes.push(class.clone());
            }
        }
    }
    if options.classes.is_empty() {
        let facts = dataset.facts()?;
        let classes = facts.get("default_classes").and_then(serde_json::Value::as_array);
        options.classes = classes
            .into_iter()
            .flatten()
            .filter_map(|class| class.as_str().map(str::to_owned))
            .collect();
    }
    if options.classes.is_empty() && format.numbers_classes() {
        let mut classes = BTreeSet::new();
        for sample in dataset.samples(selection)? {
            let record = sample?.record;
            let frames = record.labels.frames.values().flat_map(|frame| frame.values());
            for label in record.labels.sample.values().chain(frames) {
                classes.extend(class_names(label).map(str::to_owned));
            }
        }
        options.classes = classes.into_iter().collect();
    }
    Ok(())
}
