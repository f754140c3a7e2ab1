//! Why there is nothing to work on.

use super::media_kind::MediaKind;
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use modelzoo_storage::{Cause, StorageError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why an input could not be turned into files. Each message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// No input was given.
    #[error("no input was given")]
    NoInput,
    /// No file or folder at the path.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
        /// Names beside it that look alike, the likeliest first.
        suggestions: Vec<String>,
    },
    /// A folder, glob or list file that leads to no media.
    #[error("{}: no {} {place}", input.display(), plural(kinds))]
    NothingFound {
        /// The input as given.
        input: PathBuf,
        /// Where was looked, as the end of a sentence.
        place: &'static str,
        /// What was looked for.
        kinds: Vec<MediaKind>,
    },
    /// A glob that is not well formed.
    #[error("{pattern}: not a valid glob: {message} (at character {position})")]
    InvalidGlob {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        message: &'static str,
        /// Where, counted from 1.
        position: usize,
    },
    /// A line of a list file that is no path.
    #[error("{}, line {line}: not UTF-8 text", path.display())]
    InvalidList {
        /// The list file.
        path: PathBuf,
        /// The line's number, counted from 1.
        line: usize,
    },
    /// A table without a column that pictures are in.
    #[error("{}: {problem}", path.display())]
    Column {
        /// The table.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A row of a table without a picture.
    #[error("{}: row {row} has no picture", path.display())]
    Row {
        /// The table.
        path: PathBuf,
        /// The row's number, counted from 1.
        row: u64,
    },
    /// The operating system would not let a folder or list file be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl InputError {
    /// Whether the credentials for where it lies are no good, so that nothing else from there will be had either.
    pub fn is_about_credentials(&self) -> bool {
        let Self::Io { source, .. } = self else {
            return false;
        };
        StorageError::of(source).is_some_and(|error| error.cause() == Cause::Credentials)
    }

    /// The file, folder or pattern that it is about; `None` where no input was given.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NoInput => None,
            Self::NotFound { path, .. }
            | Self::InvalidList { path, .. }
            | Self::Column { path, .. }
            | Self::Row { path, .. }
            | Self::Io { path, .. } => Some(path),
            Self::NothingFound { input, .. } => Some(input),
            Self::InvalidGlob { pattern, .. } => Some(Path::new(pattern)),
        }
    }
}

impl Diagnose for InputError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NotFound { .. } | Self::NothingFound { .. } => ErrorClass::NotFound,
            Self::NoInput | Self::InvalidGlob { .. } | Self::Column { .. } => ErrorClass::Usage,
            Self::Io { source, .. }
                if StorageError::of(source).is_some_and(|error| error.cause() == Cause::NotFound) =>
            {
                ErrorClass::NotFound
            }
            Self::InvalidList { .. } | Self::Row { .. } | Self::Io { .. } => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::NoInput => Some(NextStep::advice(
                "name a folder, files, a glob or a dataset after the model",
            )),
            Self::NotFound { suggestions, .. } if !suggestions.is_empty() => Some(NextStep::DidYouMean {
                names: suggestions.clone(),
            }),
            Self::NothingFound { kinds, .. } => {
                let endings: Vec<_> = kinds
                    .iter()
                    .flat_map(|kind| kind.extensions())
                    .map(|ending| format!(".{ending}"))
                    .collect();
                Some(NextStep::advice(format!(
                    "files with these endings are looked for: {}",
                    endings.join(" ")
                )))
            }
            Self::Column { .. } => Some(NextStep::NameColumn),
            Self::Io { source, .. } => NextStep::for_access(source),
            _ => None,
        }
    }
}

fn plural(kinds: &[MediaKind]) -> String {
    kinds
        .iter()
        .map(|kind| kind.plural())
        .collect::<Vec<_>>()
        .join(" or ")
}
