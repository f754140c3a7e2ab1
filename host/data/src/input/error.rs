//! Why there is nothing to work on.

use std::io;
use std::path::{Path, PathBuf};

use super::media_kind::MediaKind;

/// Why an input could not be turned into files. Each message is one line; [`InputError::hint`] says what to do next.
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
    /// The operating system would not let a folder or list file be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl InputError {
    /// The file, folder or pattern that it is about; `None` where no input was given.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NoInput => None,
            Self::NotFound { path, .. } | Self::InvalidList { path, .. } | Self::Io { path, .. } => {
                Some(path)
            }
            Self::NothingFound { input, .. } => Some(input),
            Self::InvalidGlob { pattern, .. } => Some(Path::new(pattern)),
        }
    }

    /// What to do next, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoInput => Some("name a folder, files, a glob or a dataset after the model".to_owned()),
            Self::NotFound { suggestions, .. } if !suggestions.is_empty() => {
                Some(format!("did you mean {}?", suggestions.join(" or ")))
            }
            Self::NothingFound { kinds, .. } => {
                let endings: Vec<_> = kinds
                    .iter()
                    .flat_map(|kind| kind.extensions())
                    .map(|ending| format!(".{ending}"))
                    .collect();
                Some(format!(
                    "files with these endings are looked for: {}",
                    endings.join(" ")
                ))
            }
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
