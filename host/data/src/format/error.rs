//! What can go wrong between formats.

use super::Format;
use crate::{dataset::DatasetError, input::InputError, output::OutputError, shard::ShardError};
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why something could not be exported or imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The result cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The dataset cannot be read or written.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The files to import cannot be found.
    #[error(transparent)]
    Input(#[from] InputError),
    /// No format has this name.
    #[error("there is no format `{name}`; there are {}", names())]
    UnknownFormat {
        /// The name.
        name: String,
    },
    /// The results of shards cannot be put together.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// A folder would be written where there is something.
    #[error("{}: there is already something here", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// The format cannot hold what there is to write.
    #[error("{format}: {problem}")]
    Unsuitable {
        /// The format.
        format: Format,
        /// Why not, and what to do.
        problem: String,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what its format says.
    #[error("{}{}: {problem}", path.display(), place)]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it, beginning with a colon; empty for the whole.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

impl Diagnose for FormatError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Output(error) => error.class(),
            Self::Dataset(error) => error.class(),
            Self::Input(error) => error.class(),
            Self::Shard(error) => error.class(),
            Self::UnknownFormat { .. } => ErrorClass::Usage,
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => ErrorClass::NotFound,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Output(error) => error.next_step(),
            Self::Dataset(error) => error.next_step(),
            Self::Input(error) => error.next_step(),
            Self::Shard(error) => error.next_step(),
            Self::UnknownFormat { name } => NextStep::did_you_mean(name, Format::ALL.map(Format::name)),
            Self::Exists { .. } => Some(NextStep::advice("name a new or an empty folder")),
            Self::Read { source, .. } => NextStep::for_access(source),
            _ => None,
        }
    }
}

impl FormatError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source: about(path, source),
        }
    }

    pub(super) fn content(path: &Path, place: impl Into<String>, problem: impl ToString) -> Self {
        Self::Content {
            path: path.to_owned(),
            place: place.into(),
            problem: problem.to_string(),
        }
    }

    pub(super) fn unsuitable(format: Format, problem: impl Into<String>) -> Self {
        Self::Unsuitable {
            format,
            problem: problem.into(),
        }
    }

    /// What `serde_json` says about a file: either the file cannot be read, or its content is wrong.
    pub(super) fn json(path: &Path, error: serde_json::Error) -> Self {
        if error.is_io() {
            return Self::read(path, error.into());
        }
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let position = format!(" at line {line} column {column}");
        let problem = message.strip_suffix(&position).unwrap_or(&message);
        Self::content(path, format!(":{line}:{column}"), problem)
    }
}

fn names() -> String {
    Format::ALL.map(Format::name).join(", ")
}
