//! What is worked on: a picture or a video, and what is known of it.

use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use modelzoo_data::{
    dataset::{self, DatasetError, SampleId, Samples},
    input::{Content, InputError, InputFile, MediaKind, relative_to},
    record::{SampleRecord, path_to_text},
};
use modelzoo_storage::is_url;
use std::path::{Path, PathBuf};

/// A picture or a video to work on.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its number, where it comes from a dataset.
    pub id: Option<SampleId>,
    /// What is known of it.
    pub record: SampleRecord,
    /// Where its file is.
    pub path: PathBuf,
    /// Its name below the input, without a root or `..`.
    pub relative_path: PathBuf,
    /// What is in it.
    pub content: Content,
}

/// Why a sample could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// A folder or a line of a list could not be read; there may be more samples.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The dataset could not be read; there are no more.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

impl Diagnose for SampleError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Input(error) => error.class(),
            Self::Dataset(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Input(error) => error.next_step(),
            Self::Dataset(error) => error.next_step(),
        }
    }
}

/// The samples of the dataset at `path`, their files found beside it.
pub(crate) fn samples_of(
    path: &Path,
    samples: Samples,
) -> impl Iterator<Item = Result<Sample, SampleError>> + Send + use<> {
    let folder = folder_of(path).to_owned();
    samples.map(move |sample| Ok(sample_in(&folder, sample?, Beside::Folder)))
}

/// Where relative paths begin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beside {
    /// In the folder of the dataset.
    Folder,
    /// In the current folder, as paths do that this program has written; or else in that of the file.
    CurrentFolder,
}

pub(crate) fn sample_in(folder: &Path, sample: dataset::Sample, beside: Beside) -> Sample {
    let named = sample.record.path();
    let path = match beside {
        _ if is_url(&named) => named,
        Beside::CurrentFolder if named.exists() => named,
        _ => folder.join(named),
    };
    Sample {
        id: Some(sample.id),
        relative_path: relative_to(&path, folder),
        path,
        record: sample.record,
        content: Content::AtPath,
    }
}

pub(crate) fn sample_of_file(file: InputFile) -> Sample {
    let filepath = path_to_text(&file.path);
    Sample {
        id: None,
        record: match file.kind {
            MediaKind::Image => SampleRecord::image(filepath),
            MediaKind::Video => SampleRecord::video(filepath),
        },
        path: file.path,
        relative_path: file.relative_path,
        content: file.content,
    }
}

pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
