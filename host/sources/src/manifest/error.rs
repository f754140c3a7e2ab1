//! What can be wrong with a manifest, and with a name that is looked up in it.
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    suggest,
};
use std::{io, path::PathBuf};

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read the manifest {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is larger than any manifest.
    #[error("the manifest {} has {size} bytes; the limit is {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The greatest size in bytes.
        limit: u64,
    },
    /// The file is not text.
    #[error("{}:{line}:{column}: the manifest is not UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The byte in the line, from 1.
        column: usize,
    },
    /// The file is not JSON, or a field is missing or of the wrong type.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
}

impl Diagnose for ManifestError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::advice(match self {
            Self::Read { .. } => "check that the file is there and may be read",
            Self::TooLarge { .. } => {
                "a manifest describes models; their weights and data belong into other files"
            }
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::Malformed { .. } => return Some(NextStep::StartFromTemplate),
        }))
    }
}

/// A model that cannot be chosen from a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The source has no models.
    #[error("the source declares no models")]
    NoModels,
    /// A source with several models needs a name.
    #[error("the source has {} models, so one must be named: {}", names.len(), names.join(", "))]
    NameNeeded {
        /// All names, in the manifest's order.
        names: Vec<String>,
    },
    /// No model has this name.
    #[error("the source has no model `{name}`{}", suggest::question(suggestions))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names that are like it.
        suggestions: Vec<String>,
        /// All names, in the manifest's order.
        names: Vec<String>,
    },
}

impl SelectError {
    pub(crate) fn unknown(name: &str, names: impl Iterator<Item = String>) -> Self {
        let names: Vec<String> = names.collect();
        let suggestions = suggest::nearest(name, names.iter().map(String::as_str));
        Self::Unknown {
            name: name.to_owned(),
            suggestions,
            names,
        }
    }
}

impl Diagnose for SelectError {
    fn class(&self) -> ErrorClass {
        ErrorClass::NotFound
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::NoModels => None,
            Self::NameNeeded { names } => Some(NextStep::NameModel {
                name: names.first()?.clone(),
            }),
            Self::Unknown {
                names, suggestions, ..
            } => Some(match suggestions.first() {
                Some(name) => NextStep::NameModel { name: name.clone() },
                None => NextStep::advice(format!("its models are: {}", names.join(", "))),
            }),
        }
    }
}
