//! What comes of a sample.

use crate::ItemError;
use modelzoo_base::error::in_one_line;
use modelzoo_data::{dataset::SampleId, label::Fields, media::RgbImage, record::SampleRecord};
use std::{fmt, path::PathBuf};

/// A sample and what a model said of it.
#[derive(Debug)]
pub struct LabeledItem {
    /// Its number, where it comes from a dataset.
    pub id: Option<SampleId>,
    /// What is known of it besides: its path as the user or the dataset has it, the file's facts where it could be
    /// read, and the labels that it had before.
    pub record: SampleRecord,
    /// Where its file is; or the folder or list that could not be read.
    pub path: PathBuf,
    /// Its name below the input, to be joined to an output folder; empty where nothing was read.
    pub relative_path: PathBuf,
    /// The pixels of a picture; `None` for videos, and where they could not be read.
    pub image: Option<RgbImage>,
    /// The labels that the model gave; those of the parts that worked where others failed.
    pub fields: Fields,
    /// What failed: the sample itself, or some of its frames, patches or slices.
    pub failures: Vec<Failure>,
    /// What is wrong with the file although it could be read, a line each.
    pub warnings: Vec<String>,
}

/// A failure of a sample or of a part of it.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub place: Place,
    /// Why.
    pub error: ItemError,
}

/// A part of a sample; the whole of it by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The frame, counted from 1.
    pub frame: Option<u64>,
    /// The patch: the index of its object, counted from 0.
    pub patch: Option<usize>,
    /// The slice, counted from 0; `None` for the picture as a whole.
    pub slice: Option<usize>,
}

/// How a run went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Samples without a failure.
    pub done: u64,
    /// Samples that failed, or of which a part did.
    pub failed: u64,
    /// Pictures, frames, patches and slices that the model was asked about; a video is one where the model takes it whole.
    pub parts: u64,
}

impl LabeledItem {
    /// Why it failed, on one line; `None` when it did not.
    pub fn error(&self) -> Option<String> {
        let first = self.failures.first()?;
        Some(match self.failures.len() {
            1 => first.to_string(),
            several => format!("{first} (and {} more parts failed)", several - 1),
        })
    }

    /// The sample with its labels, those that it had and those that the model gave, and its error.
    pub fn into_record(self) -> SampleRecord {
        let error = self.error();
        let mut record = self.record;
        record.labels.sample.extend(self.fields.sample);
        for (frame, labels) in self.fields.frames {
            record.labels.frames.entry(frame).or_default().extend(labels);
        }
        record.error = error;
        record.warnings.extend(self.warnings);
        record
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(frame) = self.place.frame {
            write!(formatter, "frame {frame}: ")?;
        }
        if let Some(patch) = self.place.patch {
            write!(formatter, "patch {patch}: ")?;
        }
        if let Some(slice) = self.place.slice {
            write!(formatter, "slice {slice}: ")?;
        }
        formatter.write_str(&in_one_line(&self.error))
    }
}
