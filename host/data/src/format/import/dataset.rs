//! Importing into a dataset.

use std::path::{Path, PathBuf};

use modelzoo_plugin_api::MediaType;
use serde_json::Value;

use super::{CocoOptions, FormatError, SampleRecord, beside, folder_of, import_coco, import_fiftyone};
use super::{import_json_lines, import_media};
use crate::dataset::{AddSummary, Dataset, FieldDescription};
use crate::format::Format;
use crate::media::Decoder;
use crate::record::Metadata;
use crate::video::Video;

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The folder that relative file names are relative to. Where it is `None`, it is that of the JSON file for COCO
    /// datasets; for JSON Lines the current one, as `apply` writes them, or else that of the list if the file is there.
    pub images: Option<PathBuf>,
    /// The field for a COCO dataset's boxes; `ground_truth` where it is `None`. Its keypoints go to the field of this
    /// name with `_keypoints` behind it.
    pub field: Option<String>,
    /// Tags that every sample gets.
    pub tags: Vec<String>,
    /// Whether to read the facts about each file (size, format, frame rate, ...) that are not known. A file that cannot
    /// be read is added without.
    pub metadata: bool,
}

/// Which format a file or folder is of, going by its name and, for folders, by what is in them. `None` for pictures,
/// videos, folders and globs of them, lists, and files whose name says nothing.
pub fn detect(path: &Path) -> Option<Format> {
    if path.is_dir() {
        let is_fiftyone = path.join("samples.json").is_file();
        return is_fiftyone.then_some(Format::FiftyOne);
    }
    match path.extension()?.to_ascii_lowercase().to_str()? {
        "json" => Some(Format::Coco),
        _ => Format::from_path(path),
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
    import_dataset_with_progress(dataset, format, &[path], options, || ())
}

/// As [`import_dataset`], of several places of one format, calling `added` after each sample.
pub fn import_dataset_with_progress(
    dataset: &mut Dataset,
    format: Option<Format>,
    paths: &[impl AsRef<Path>],
    options: &ImportOptions,
    mut added: impl FnMut(),
) -> Result<AddSummary, FormatError> {
    let mut writer = dataset.writer()?;
    let mut sink = |mut record: SampleRecord| {
        record.tags.extend_from_slice(&options.tags);
        if options.metadata && record.metadata.is_none() {
            record.metadata = read_metadata(&record);
        }
        writer.add(record)?;
        added();
        Ok(())
    };
    let Some(format) = format else {
        import_media(paths, &mut sink)?;
        return Ok(writer.finish()?);
    };
    let mut said = Vec::new();
    for path in paths {
        said.push(import_one(format, path.as_ref(), options, &mut sink)?);
    }
    let summary = writer.finish()?;
    for said in said {
        said.note(dataset)?;
    }
    Ok(summary)
}

/// What a format says beside the samples.
#[derive(Default)]
struct Said {
    facts: serde_json::Map<String, Value>,
    described: Vec<(String, FieldDescription)>,
}

impl Said {
    /// Puts it into the dataset.
    fn note(self, dataset: &mut Dataset) -> Result<(), FormatError> {
        for (field, description) in &self.described {
            dataset.describe_field(field, description)?;
        }
        let mut facts = dataset.facts()?;
        facts.extend(self.facts);
        Ok(dataset.set_facts(&facts)?)
    }
}

fn import_one(
    format: Format,
    path: &Path,
    options: &ImportOptions,
    sink: super::Sink<'_>,
) -> Result<Said, FormatError> {
    match format {
        Format::JsonLines => {
            let beside_list = folder_of(path);
            import_json_lines(path, &mut |mut record| {
                let folder = match &options.images {
                    Some(images) => images.as_path(),
                    None if !Path::new(&record.filepath).exists()
                        && beside_list.join(&record.filepath).exists() =>
                    {
                        &beside_list
                    }
                    None => Path::new("."),
                };
                record.filepath = beside(folder, &record.filepath)?;
                sink(record)
            })?;
            Ok(Said::default())
        }
        Format::FiftyOne => Ok(Said {
            facts: import_fiftyone(path, sink)?.info,
            ..Said::default()
        }),
        Format::Coco => {
            let coco = CocoOptions {
                images: options.images.as_deref(),
                field: options.field.as_deref().unwrap_or("ground_truth"),
            };
            let info = import_coco(path, &coco, sink)?;
            let description = FieldDescription {
                classes: info.classes,
                keypoints: info.keypoints,
                skeleton: info.skeleton,
            };
            Ok(Said {
                described: vec![
                    (coco.field.to_owned(), description.clone()),
                    (format!("{}_keypoints", coco.field), description),
                ],
                ..Said::default()
            })
        }
        _ => {
            let problem =
                "this format is written only; JSON Lines, COCO and FiftyOne datasets can be imported";
            Err(FormatError::unsuitable(format, problem))
        }
    }
}

/// The facts about a sample's file, where it can be read.
fn read_metadata(record: &SampleRecord) -> Option<Metadata> {
    match record.media_type {
        MediaType::Video => {
            let video = Video::open(&record.filepath).ok()?;
            Some(Metadata::Video(video.metadata().clone()))
        }
        _ => Decoder::default()
            .read_metadata(&record.filepath)
            .ok()
            .map(Metadata::from),
    }
}
