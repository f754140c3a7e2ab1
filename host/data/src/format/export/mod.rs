//! Writing samples in the formats of other programs.
//!
//! Every writer takes one sample after the other, holds little of what it has written, and puts the result in its place
//! when it is finished: a writer that is dropped before leaves nothing behind.

mod classes;
mod coco;
mod contained;
mod csv;
mod dataset;
mod fiftyone;
mod folder;
mod json_lines;
mod label_studio;
mod media;
mod npy;
mod object;
#[cfg(feature = "parquet")]
mod parquet;
mod size;
mod yolo;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use dataset::{export_dataset, export_dataset_with_progress};

use super::{Format, FormatError, Losses};
use crate::{
    dataset::{FieldInfo, Skeleton},
    record::SampleRecord,
};

/// Takes samples in some format.
pub trait RecordWriter: Send {
    /// Writes a sample.
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError>;

    /// Puts the result in its place.
    fn finish(self: Box<Self>) -> Result<Summary, FormatError>;
}

/// What an export did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many samples were written.
    pub samples: u64,
    /// What the format could not hold, a line each.
    pub notes: Vec<String>,
    /// The samples that are not there, or not whole, because of their files.
    pub losses: Losses,
}

/// How to export.
#[derive(Clone, Debug, Default)]
pub struct ExportOptions {
    /// The classes, by index, for formats that number them. Where it is empty, classes are numbered as they come; so
    /// for numbers that mean the same in every file, name them.
    pub classes: Vec<String>,
    /// The names of keypoints, in order, for formats that tell.
    pub keypoints: Vec<String>,
    /// The lines between keypoints, as pairs of indices.
    pub skeleton: Vec<[usize; 2]>,
    /// The keypoints of each class, where classes have keypoints of their own.
    pub skeletons: BTreeMap<String, Skeleton>,
    /// What to do about the samples' own files, for formats that are folders.
    pub media: Media,
    /// How formats that have both write masks.
    pub masks: Masks,
    /// Whether YOLO's lines end in the confidence, as its programs write predictions; those that train refuse it.
    pub confidences: bool,
    /// A COCO dataset whose ids COCO files should use: of pictures by their files' names, of categories by theirs.
    pub coco_reference: Option<PathBuf>,
    /// Facts about where the labels come from (model, commit, ...), for formats that have a place for them.
    pub facts: BTreeMap<String, String>,
    /// The fields, where they are known before the first sample; Parquet is written in one pass then.
    pub fields: Option<Vec<FieldInfo>>,
}

/// What to do about the samples' own files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    /// Copy them into the folder.
    #[default]
    Copy,
    /// Make links in the folder to them.
    Link,
    /// Leave them where they are, and write where that is.
    Reference,
}

/// How to write masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Masks {
    /// As outlines, which most programs read; holes are lost.
    #[default]
    Polygons,
    /// As run lengths, which are exact.
    RunLengths,
}

/// Begins an export to `path`, a file or a folder as the format has it.
///
/// # Errors
/// When nothing can be written there, or a folder is there that is not empty.
pub fn create(
    format: Format,
    path: impl AsRef<Path>,
    options: &ExportOptions,
) -> Result<Box<dyn RecordWriter>, FormatError> {
    let path = path.as_ref();
    let writer: Box<dyn RecordWriter> = match format {
        Format::JsonLines => Box::new(json_lines::JsonLinesExport::create(path)?),
        Format::Coco | Format::CocoResults => Box::new(coco::CocoWriter::create(path, format, options)?),
        Format::Yolo => Box::new(yolo::YoloWriter::create(path, options)?),
        Format::FiftyOne => Box::new(fiftyone::FiftyOneWriter::create(path, options)?),
        Format::Csv => Box::new(csv::CsvWriter::create(path, options)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::create(path, options)?,
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => {
            let problem = "this program is built without it";
            return Err(FormatError::unsuitable(format, problem));
        }
        Format::LabelStudio => Box::new(label_studio::LabelStudioWriter::create(path, options)?),
        Format::Npy => Box::new(npy::NpyWriter::create(path)?),
        Format::Voc | Format::Cvat => {
            return Err(FormatError::unsuitable(
                format,
                "this format can be imported only",
            ));
        }
    };
    Ok(Box::new(contained::Contained::new(writer)))
}
