//! Datasets: samples with their labels and embeddings, and what made these, in one SQLite file.
//!
//! Every change is a transaction, so a dataset is sound after the end of the process at any moment. Any number of
//! processes may read and write it at once; a field is filled by one at a time ([`Run`]). While it is in use there are
//! files beside it with the same name and `-wal`, `-shm` or `-run-...` behind it. The tables are described in
//! `schema.sql`; other programs may read them.
//!
//! Embeddings are kept in single precision. Everything else comes out as it went in.

mod database;
mod encoding;
mod error;
mod info;
mod lease;
mod provenance;
mod reader;
mod run;
mod schema;
mod store;
mod tags;
mod whole;
mod writer;

#[cfg(test)]
mod tests;

use modelzoo_plugin_api::MediaType;
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};

pub use error::{DatasetError, Reason};
pub use info::{Damage, DatasetInfo, FailedSample, FieldDescription, FieldInfo, RunInfo, Skeleton};
pub use provenance::Provenance;
pub use reader::{Sample, Samples, Selection};
pub use run::{Existing, FileFacts, Item, Progress, Run};
pub use writer::{AddSummary, DatasetWriter};

use database::Database;

/// The number of a sample in its dataset: the order in which samples were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleId(pub(crate) i64);

impl fmt::Display for SampleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A dataset.
#[derive(Debug)]
pub struct Dataset {
    database: Database,
}

impl Dataset {
    /// Makes an empty dataset in a new file.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        Ok(Self {
            database: Database::create(path.as_ref())?,
        })
    }

    /// Opens a dataset. One that an earlier version has written is brought up to date.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        Ok(Self {
            database: Database::open(path.as_ref())?,
        })
    }

    /// Whether the file at `path` is a dataset, going by its content.
    pub fn is_at(path: impl AsRef<Path>) -> bool {
        schema::is_dataset(path.as_ref())
    }

    /// The dataset's file.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Adds samples.
    pub fn writer(&self) -> Result<DatasetWriter, DatasetError> {
        Ok(DatasetWriter::new(self.database.reopen()?))
    }

    /// Reads samples, in the order in which they were added, as they are now.
    ///
    /// # Errors
    /// When a field is selected that is not there. Each sample may fail too.
    pub fn samples(&self, selection: &Selection) -> Result<Samples, DatasetError> {
        Samples::snapshot(self.database.reopen()?, selection)
    }
}

/// How the tables call it.
fn media_type_name(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Video => "video",
        _ => "image",
    }
}
