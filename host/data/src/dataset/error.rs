//! What can go wrong with a dataset.

use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use rusqlite::ErrorCode;
use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// Why something could not be done with a dataset.
#[derive(Debug)]
pub struct DatasetError {
    /// The dataset's file.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for DatasetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "dataset {}: {}", self.path.display(), self.reason)
    }
}

impl Error for DatasetError {
    /// The reason is part of this level's message, so its cause is the next one.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.reason.source()
    }
}

impl Diagnose for DatasetError {
    fn class(&self) -> ErrorClass {
        match &self.reason {
            Reason::NotFound | Reason::NoSuchField { .. } => ErrorClass::NotFound,
            Reason::InvalidFieldName(_) => ErrorClass::Usage,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        let path = self.path.clone();
        match &self.reason {
            Reason::Exists => Some(NextStep::GoOnWithDataset { path }),
            Reason::NotFound => Some(NextStep::CreateDataset { path }),
            Reason::Newer { .. } => Some(NextStep::UpdateProgram),
            Reason::RunInProgress { process, .. } => Some(NextStep::advice(format!(
                "wait until it is done, or end process {process}: what it has done is kept"
            ))),
            Reason::OtherValues { .. } => Some(NextStep::ReplaceValues),
            Reason::Create(source) | Reason::Lock(source) => NextStep::for_access(source),
            Reason::TakenOver { .. } => Some(NextStep::advice(
                "run the same once more when the other has ended",
            )),
            Reason::Sqlite(error) => match error.sqlite_error_code()? {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(NextStep::advice(
                    "restore it from a copy; `sqlite3 FILE .recover` saves what can still be read",
                )),
                ErrorCode::DiskFull => NextStep::for_access(&io::ErrorKind::StorageFull.into()),
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
                    NextStep::for_access(&io::ErrorKind::PermissionDenied.into())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// What is wrong with a dataset, or with what was asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A dataset was to be created where there is a file.
    #[error("there is already a file of this name")]
    Exists,
    /// The file cannot be made.
    #[error("it cannot be made")]
    Create(#[source] io::Error),
    /// There is no file.
    #[error("there is no such file")]
    NotFound,
    /// The file is no dataset.
    #[error("this file is no dataset: {0}")]
    NotADataset(&'static str),
    /// A later version of this program has written it.
    #[error(
        "it has format {found}, which a later version of modelzoo wrote; this one reads up to {supported}"
    )]
    Newer {
        /// The file's format.
        found: u32,
        /// The newest format that this version knows.
        supported: u32,
    },
    /// No field of this name.
    #[error("there is no field `{name}`{}", known_fields(known))]
    NoSuchField {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The name cannot be a field's.
    #[error("{0}")]
    InvalidFieldName(String),
    /// The values of a field have one type, and this is another.
    #[error("field `{field}` holds {expected} labels, not {found}")]
    OtherType {
        /// The field.
        field: String,
        /// What it holds.
        expected: String,
        /// What was given.
        found: String,
    },
    /// Another process is writing this field.
    #[error("field `{field}` is being written by process {process} since {since}")]
    RunInProgress {
        /// The field.
        field: String,
        /// The process that writes it.
        process: u32,
        /// When its run began, in UTC.
        since: String,
    },
    /// The field has values that this run would not have made.
    #[error("field `{field}` already has values, and they are not this run's: {difference}")]
    OtherValues {
        /// The field.
        field: String,
        /// How they differ.
        difference: String,
    },
    /// A field that another run has made would be written.
    #[error("field `{field}` is not this run's to write")]
    NotOwned {
        /// The field.
        field: String,
    },
    /// Another process has taken the run over.
    #[error("the run of field `{field}` was taken over by another process")]
    TakenOver {
        /// The field.
        field: String,
    },
    /// A label cannot be stored, or a stored one not be read.
    #[error("a label in field `{field}` of sample {sample} cannot be used")]
    Label {
        /// The field.
        field: String,
        /// The sample.
        sample: String,
        /// What is wrong with the label.
        source: serde_json::Error,
    },
    /// A newer plugin may send types of labels that this version does not know.
    #[error("field `{field}` would hold a label of a type that this version of modelzoo does not know")]
    UnknownType {
        /// The field.
        field: String,
    },
    /// Stored facts are not what they should be.
    #[error("{what} cannot be read")]
    Corrupt {
        /// Which facts.
        what: &'static str,
        /// What is wrong with them.
        source: serde_json::Error,
    },
    /// The lock file beside the dataset.
    #[error("the lock file of a run cannot be made beside it")]
    Lock(#[source] io::Error),
    /// SQLite failed: the disk is full, the file damaged, or another process has been writing for too long.
    // Its cause says the same in other words.
    #[error("{}", in_words(.0))]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Reason {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Reason {
    /// The error of the dataset at `path`.
    pub(super) fn at(self, path: &Path) -> DatasetError {
        DatasetError {
            path: path.to_owned(),
            reason: self,
        }
    }
}

/// What SQLite said. It would name a file that it cannot open, which is the dataset.
fn in_words(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => "the file cannot be opened".to_owned(),
        _ => error.to_string(),
    }
}

fn known_fields(known: &[String]) -> String {
    if known.is_empty() {
        "; the dataset has none yet".to_owned()
    } else {
        format!("; there are {}", known.join(", "))
    }
}
