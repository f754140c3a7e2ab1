//! Reading samples from the formats of other programs.
//!
//! Files come from strangers and from many programs: what is clear in them is read, and what is not is named and left out
//! ([`ImportReport`]).

mod coco;
mod cvat;
mod dataset;
mod detect;
mod field_types;
mod fiftyone;
mod files;
mod json_array;
mod json_lines;
mod label_studio;
mod media;
mod objects;
mod place;
mod report;
mod sample;
mod start;
#[cfg(test)]
mod testing;
mod voc;
mod xml;
mod yolo;

pub use coco::{CocoInfo, CocoOptions, import_coco};
pub use cvat::import_cvat;
pub use dataset::{ImportOptions, ImportSummary, import_dataset, import_dataset_with_progress};
pub use detect::detect;
pub use fiftyone::{FiftyOneInfo, import_fiftyone};
pub use json_lines::import_json_lines;
pub use label_studio::import_label_studio;
pub use media::import_media;
pub use place::Place;
pub use report::ImportReport;
pub use voc::import_voc;
pub use yolo::{YoloInfo, import_yolo};

use super::FormatError;
use crate::record::SampleRecord;

/// Takes samples as they are read, with the place that each stands at. Its error ends the import.
pub type Sink<'a> = &'a mut dyn FnMut(SampleRecord, &Place<'_>, &mut ImportReport) -> Result<(), FormatError>;
