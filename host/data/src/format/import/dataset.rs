//! Importing into a dataset.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{CocoOptions, FormatError, import_coco, import_fiftyone, import_json_lines, import_media};
use crate::dataset::{AddSummary, Dataset, FieldDescription};
use crate::format::Format;

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The folder that a COCO dataset's file names are relative to; that of its JSON file where it is `None`.
    pub images: Option<PathBuf>,
    /// The field for a COCO dataset's boxes; `ground_truth` where it is `None`. Its keypoints go to the field of this
    /// name with `_keypoints` behind it.
    pub field: Option<String>,
}

/// Which format a file or folder is of that can be imported, going by its name and, for folders, by what is in them.
/// `None` for pictures, videos and folders of them.
pub fn detect(path: &Path) -> Option<Format> {
    if path.join("samples.json").is_file() {
        return Some(Format::FiftyOne);
    }
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "jsonl" | "ndjson" => Some(Format::JsonLines),
        "json" => Some(Format::Coco),
        _ => None,
    }
}

/// Adds what is at `path` to a dataset: samples, labels, and what the format says of classes and keypoints. Without a
/// format it is pictures and videos. Samples that are there already get the new labels.
///
/// # Errors
/// When the format can only be exported, or something is wrong with what is at `path`. What came before is added.
pub fn import_dataset(
    dataset: &mut Dataset,
    format: Option<Format>,
    path: &Path,
    options: &ImportOptions,
) -> Result<AddSummary, FormatError> {
    let mut writer = dataset.writer()?;
    let mut sink = |record| Ok(writer.add(record)?);
    match format {
        None => {
            import_media(&[path], &mut sink)?;
            Ok(writer.finish()?)
        }
        Some(Format::JsonLines) => {
            import_json_lines(path, &mut sink)?;
            Ok(writer.finish()?)
        }
        Some(Format::FiftyOne) => {
            let info = import_fiftyone(path, &mut sink)?.info;
            let summary = writer.finish()?;
            let mut facts = dataset.facts()?;
            facts.extend(info);
            dataset.set_facts(&facts)?;
            Ok(summary)
        }
        Some(Format::Coco) => {
            let coco = CocoOptions {
                images: options.images.as_deref(),
                field: options.field.as_deref().unwrap_or("ground_truth"),
            };
            let info = import_coco(path, &coco, &mut sink)?;
            let summary = writer.finish()?;
            let description = FieldDescription {
                classes: info.classes.clone(),
                keypoints: info.keypoints,
                skeleton: info.skeleton,
            };
            dataset.describe_field(coco.field, &description)?;
            dataset.describe_field(&format!("{}_keypoints", coco.field), &description)?;
            let mut facts = dataset.facts()?;
            let classes: Value = info.classes.into();
            facts.entry("default_classes").or_insert(classes);
            dataset.set_facts(&facts)?;
            Ok(summary)
        }
        Some(format) => {
            let problem =
                "this format is written only; JSON Lines, COCO and FiftyOne datasets can be imported";
            Err(FormatError::unsuitable(format, problem))
        }
    }
}
