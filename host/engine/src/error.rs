//! What can go wrong while a model is applied.

use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use modelzoo_data::{
    dataset::DatasetError, format::FormatError, input::InputError, label::FrameNumberError,
    media::MediaError, output::OutputError, panics::Panic, video::VideoError,
};
use modelzoo_runtime::{CallError, RuntimeError};
use serde::Serialize;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What a sink may fail with.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Why a run ended before its end. What concerns one sample is an [`ItemError`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is nothing to work on.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The dataset cannot be read or written.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The credentials for a store are no good, so that nothing of it can be had.
    #[error(transparent)]
    Credentials(MediaError),
    /// A file of labels cannot be read.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The plugin cannot be used any longer.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The model lacks what was asked of it.
    #[error("the model {0}")]
    Unsupported(&'static str),
    /// What was asked for makes no sense.
    #[error("{problem}")]
    InvalidOption {
        /// What is wrong.
        problem: String,
        /// What to do instead.
        next_step: NextStep,
    },
    /// A sample failed, and failures were not to be passed over.
    #[error("{}", stopped_at(filepath, source))]
    Stopped {
        /// The sample's file.
        filepath: PathBuf,
        /// Why it failed.
        source: ItemError,
    },
    /// Masks and maps cannot be written.
    #[error(transparent)]
    LabelImages(#[from] OutputError),
    /// There is no room for what a run keeps on the disk meanwhile.
    #[error("cannot make a temporary folder in {}", folder.display())]
    Temporary {
        /// Where it was to be.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The results could not be handed on.
    #[error("cannot write the results")]
    Sink(#[source] SinkError),
}

/// Where the run stopped, with the path once: what cannot be found or decoded names its file itself.
fn stopped_at(filepath: &Path, error: &ItemError) -> String {
    if error.names_file() {
        "the run stopped at a file that failed".to_owned()
    } else {
        format!("the run stopped at {}", filepath.display())
    }
}

impl Diagnose for EngineError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Input(error) => error.class(),
            Self::Dataset(error) => error.class(),
            Self::Credentials(error) => error.class(),
            Self::Format(error) => error.class(),
            Self::Runtime(error) => error.class(),
            Self::LabelImages(error) => error.class(),
            Self::Unsupported(_) | Self::InvalidOption { .. } => ErrorClass::Usage,
            Self::Stopped { .. } | Self::Temporary { .. } | Self::Sink(_) => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Input(error) => error.next_step(),
            Self::Dataset(error) => error.next_step(),
            Self::Credentials(error) => error.next_step(),
            Self::Format(error) => error.next_step(),
            Self::Runtime(error) => error.next_step(),
            Self::LabelImages(error) => error.next_step(),
            Self::Unsupported(_) => Some(NextStep::ShowModel),
            Self::InvalidOption { next_step, .. } => Some(next_step.clone()),
            Self::Stopped { .. } => Some(NextStep::PassOverFailures),
            Self::Temporary { source, .. } => match NextStep::for_writing(source) {
                NextStep::FreeSpace => Some(NextStep::advice(
                    "free some space, or set TMPDIR to a folder on another disk",
                )),
                _ => Some(NextStep::advice("set TMPDIR to a folder that can be written to")),
            },
            Self::Sink(_) => None,
        }
    }
}

/// Why a sample, or a part of it, has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// A folder or a line of a list could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The picture could not be decoded.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The video could not be decoded.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// Patches could not be cut out of it, by a fault of this program.
    #[error("cutting it up met a fault of the program ({0}): please report it with the file and its labels")]
    Fault(Panic),
    /// The model could not make its input from the picture.
    #[error(transparent)]
    Preprocess(CallError),
    /// The model failed on it.
    #[error(transparent)]
    Model(CallError),
    /// The model labels a frame that cannot be.
    #[error(transparent)]
    FrameNumber(#[from] FrameNumberError),
    /// The model labels frames of a picture, which has none.
    #[error("the model labels frames, but this is a picture and not a video")]
    FramesOfPicture,
    /// The model takes videos alone.
    #[error("the model takes videos, and this is a picture")]
    NotAVideo,
    /// What was said of slices cannot be put together.
    #[error(
        "the model finds no objects with boxes in slices of the picture, but gives {found}, which cannot be put together"
    )]
    NoObjects {
        /// What it gives.
        found: String,
    },
    /// The labels hold nothing that patches could be cut around.
    #[error("field `{field}` holds no detections or polylines to cut patches around")]
    NoBoxes {
        /// The field.
        field: String,
    },
    /// There are no patches, and there should be.
    #[error("there are no patches in field `{field}`")]
    NoPatches {
        /// The field.
        field: String,
    },
}

/// Where on its way a sample failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stage {
    /// Before its file was found.
    Input,
    /// While its file was decoded.
    Decode,
    /// While the model's input was made.
    Preprocess,
    /// In the model.
    Model,
    /// While labels were taken or given.
    Labels,
}

impl Diagnose for ItemError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Input(error) => error.class(),
            Self::Media(error) => error.class(),
            Self::Video(error) => error.class(),
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Input(error) => error.next_step(),
            Self::Media(error) => error.next_step(),
            Self::Video(error) => error.next_step(),
            Self::Preprocess(error) | Self::Model(error) => error.next_step(),
            _ => None,
        }
    }
}

impl ItemError {
    /// Whether the message names the file, as of one that cannot be found or decoded.
    pub fn names_file(&self) -> bool {
        matches!(self.stage(), Stage::Input | Stage::Decode)
    }

    /// Where on its way the sample failed.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Input(_) => Stage::Input,
            Self::Media(_) | Self::Video(_) => Stage::Decode,
            Self::Preprocess(_) => Stage::Preprocess,
            Self::Model(_) | Self::NotAVideo => Stage::Model,
            Self::FrameNumber(_)
            | Self::FramesOfPicture
            | Self::NoObjects { .. }
            | Self::NoBoxes { .. }
            | Self::NoPatches { .. }
            | Self::Fault(_) => Stage::Labels,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Input => "input",
            Self::Decode => "decode",
            Self::Preprocess => "preprocess",
            Self::Model => "model",
            Self::Labels => "labels",
        })
    }
}
