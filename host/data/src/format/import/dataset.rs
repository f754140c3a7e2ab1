//! Importing into a dataset.

use super::{
    CocoOptions, FormatError, ImportReport, Place, Sink,
    field_types::FieldTypes,
    files::Files,
    import_coco, import_cvat, import_fiftyone, import_json_lines, import_label_studio, import_media,
    import_voc, import_yolo,
    place::{beside, folder_of},
};
use crate::{
    dataset::{Dataset, FieldDescription},
    format::{Format, Losses},
    media::Decoder,
    record::{Metadata, SampleRecord},
};
use modelzoo_plugin_api::MediaType;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The folder that relative file names are relative to. Where it is `None`, it is that of the JSON file for COCO
    /// datasets; for JSON Lines the current one, as `apply` writes them, or else that of the list if the file is there.
    pub images: Option<PathBuf>,
    /// The field for the boxes of formats that do not name fields; `ground_truth` where it is `None`. Keypoints, outlines
    /// and classes of whole pictures go to fields of this name with `_keypoints`, `_polylines` or `_classes` behind it.
    pub field: Option<String>,
    /// Tags that every sample gets.
    pub tags: Vec<String>,
    /// Whether to read the facts about each file (size, format, frame rate, ...) that are not known. A file that cannot
    /// be read is added without.
    pub metadata: bool,
    /// Whether the first thing that cannot be imported ends the import. Otherwise it is left out and named.
    pub strict: bool,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportSummary {
    /// How many samples are new.
    pub added: u64,
    /// How many records were of samples that were there before.
    pub merged: u64,
    /// What could not be imported.
    pub losses: Losses,
    /// What was imported in another form, or is doubtful, a line each.
    pub notes: Vec<String>,
}

/// Adds what is at `path` to a dataset: samples, labels, and what the format says of classes and keypoints. Without a
/// format it is pictures and videos. Samples that are there already get the new labels.
///
/// # Errors
/// When the format can only be exported, or what is at `path` cannot be read. What came before is added.
pub fn import_dataset(
    dataset: &mut Dataset,
    format: Option<Format>,
    path: &Path,
    options: &ImportOptions,
) -> Result<ImportSummary, FormatError> {
    import_dataset_with_progress(dataset, format, &[path], options, || ())
}

/// As [`import_dataset`], of several places of one format, calling `added` after each sample.
pub fn import_dataset_with_progress(
    dataset: &mut Dataset,
    format: Option<Format>,
    paths: &[impl AsRef<Path>],
    options: &ImportOptions,
    mut added: impl FnMut(),
) -> Result<ImportSummary, FormatError> {
    let mut report = match options.strict {
        true => ImportReport::strict(),
        false => ImportReport::lenient(),
    };
    let mut types = FieldTypes::of(dataset)?;
    let mut files = Files::new(folders(format, paths, options));
    let mut writer = dataset.writer()?;
    let mut sink = |mut record: SampleRecord, place: &Place<'_>, report: &mut ImportReport| {
        record.tags.extend_from_slice(&options.tags);
        if options.metadata && record.metadata.is_none() {
            record.metadata = read_metadata(&record);
        }
        types.check(&mut record, place, report)?;
        if format.is_some() {
            files.note(&record, place, report);
        }
        writer.add(record)?;
        added();
        Ok(())
    };
    let mut said = Vec::new();
    match format {
        None => {
            import_media(paths, &mut report, &mut sink)?;
        }
        Some(format) => {
            for path in paths {
                said.push(import_one(
                    format,
                    path.as_ref(),
                    options,
                    &mut report,
                    &mut sink,
                )?);
            }
        }
    }
    let summary = writer.finish()?;
    files.finish(&mut report);
    for said in said {
        said.note(dataset)?;
    }
    let (losses, notes) = report.finish();
    Ok(ImportSummary {
        added: summary.added,
        merged: summary.merged,
        losses,
        notes,
    })
}

/// Where the files of samples are expected.
fn folders(format: Option<Format>, paths: &[impl AsRef<Path>], options: &ImportOptions) -> Vec<PathBuf> {
    let beside = paths.iter().map(|path| match path.as_ref() {
        folder if folder.is_dir() => folder.to_owned(),
        file => folder_of(file),
    });
    let current = (format == Some(Format::JsonLines)).then(|| PathBuf::from("."));
    match &options.images {
        Some(images) => vec![images.clone()],
        None => beside.chain(current).collect(),
    }
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
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<Said, FormatError> {
    let field = options.field.as_deref().unwrap_or("ground_truth");
    match format {
        Format::JsonLines => {
            let beside_list = folder_of(path);
            import_json_lines(path, report, &mut |mut record, place, report| {
                let folder = match &options.images {
                    Some(images) => images.as_path(),
                    None if !record.path().exists() && beside_list.join(record.path()).exists() => {
                        &beside_list
                    }
                    None => Path::new("."),
                };
                record.filepath = beside(folder, &record.filepath)?;
                sink(record, place, report)
            })?;
            Ok(Said::default())
        }
        Format::FiftyOne => Ok(Said {
            facts: import_fiftyone(path, report, sink)?.info,
            ..Said::default()
        }),
        Format::Coco => {
            let coco = CocoOptions {
                images: options.images.as_deref(),
                field,
            };
            let info = import_coco(path, &coco, report, sink)?;
            let description = FieldDescription {
                classes: info.classes,
                keypoints: info.keypoints,
                skeleton: info.skeleton,
                skeletons: info.skeletons,
            };
            Ok(Said {
                described: vec![
                    (coco.field.to_owned(), description.clone()),
                    (format!("{}_keypoints", coco.field), description),
                ],
                ..Said::default()
            })
        }
        Format::Yolo => {
            let description = FieldDescription {
                classes: import_yolo(path, field, report, sink)?.classes,
                ..FieldDescription::default()
            };
            let fields = ["", "_polylines", "_keypoints"].map(|kind| format!("{field}{kind}"));
            Ok(Said {
                described: fields.map(|field| (field, description.clone())).to_vec(),
                ..Said::default()
            })
        }
        Format::Voc => import_voc(path, field, report, sink).map(|_| Said::default()),
        Format::Cvat => {
            let images = options.images.as_deref();
            import_cvat(path, images, field, report, sink).map(|_| Said::default())
        }
        Format::LabelStudio => {
            let images = options.images.as_deref();
            import_label_studio(path, images, field, report, sink).map(|_| Said::default())
        }
        Format::Csv | Format::Parquet | Format::CocoResults | Format::Npy => {
            let names: Vec<&str> = Format::ALL
                .into_iter()
                .filter(|format| format.is_read())
                .map(Format::name)
                .collect();
            let problem = format!(
                "this format is written only; these can be imported: {}",
                names.join(", ")
            );
            Err(FormatError::unsuitable(format, problem))
        }
    }
}

/// The facts about a sample's file, where it can be read.
fn read_metadata(record: &SampleRecord) -> Option<Metadata> {
    match record.media_type {
        MediaType::Video => read_video_metadata(&record.path()),
        _ => Decoder::default()
            .read_metadata(record.path())
            .ok()
            .map(Metadata::from),
    }
}

#[cfg(feature = "video")]
fn read_video_metadata(path: &Path) -> Option<Metadata> {
    let video = crate::video::Video::open(path).ok()?;
    Some(Metadata::Video(video.metadata().clone()))
}

/// Nobody reads videos in this build.
#[cfg(not(feature = "video"))]
fn read_video_metadata(_path: &Path) -> Option<Metadata> {
    None
}
