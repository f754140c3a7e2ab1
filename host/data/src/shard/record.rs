//! What stands beside the results of a shard once it is done.

use super::{Shard, ShardError};
use crate::{
    dataset::Provenance,
    output::{OutputError, OutputFile},
};
use modelzoo_base::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The version of the records that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// What the name of a record adds to that of its results.
const ENDING: &str = ".shard.json";

/// What the results of a shard are. It is written when they are in their place, so where it is, the shard is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardRecord {
    format: u32,
    /// Which shard.
    pub shard: Shard,
    /// The SHA-256 of the results' file.
    pub sha256: Sha256Digest,
    /// How many samples failed, or of which a part did.
    pub failed: u64,
    /// The field that the results are in.
    pub field: String,
    /// What made them.
    pub provenance: Provenance,
    /// The model's classes, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The names of its keypoints, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<String>,
    /// The lines between keypoints, as pairs of indices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skeleton: Vec<[usize; 2]>,
    /// Where the samples stood in the whole input, counted from 0, in the order of the results.
    pub positions: Vec<u64>,
}

impl ShardRecord {
    /// The record of a shard without samples so far.
    pub fn new(shard: Shard, field: String, provenance: Provenance) -> Self {
        Self {
            format: FORMAT,
            shard,
            sha256: Sha256Digest::of([]),
            failed: 0,
            field,
            provenance,
            classes: Vec::new(),
            keypoints: Vec::new(),
            skeleton: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Reads the record of `results`; gives none where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is of a later version of this program.
    pub fn read(results: &Path) -> Result<Option<Self>, ShardError> {
        let path = record_path(results);
        let text = match modelzoo_storage::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ShardError::read(&path, source)),
        };
        let record: Self = serde_json::from_slice(&text)
            .map_err(|error| ShardError::content(&path, format!("this is no record of a shard: {error}")))?;
        if record.format > FORMAT {
            let problem = "the record was written by a later version of this program";
            return Err(ShardError::content(&path, problem));
        }
        Ok(Some(record))
    }

    /// Writes it beside `results`, which are in their place, and notes their hash.
    ///
    /// # Errors
    /// The results cannot be read, or the record cannot be written.
    pub fn write(mut self, results: &Path) -> Result<(), ShardError> {
        self.sha256 = digest_of(results).map_err(|source| ShardError::read(results, source))?;
        let path = record_path(results);
        let mut file = OutputFile::create(&path)?;
        serde_json::to_writer(&mut file, &self)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(|source| OutputError::new(&path, source))?;
        Ok(file.commit()?)
    }

    /// Removes the record of `results`, where there is one: they are about to be replaced.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(results: &Path) -> Result<(), ShardError> {
        let path = record_path(results);
        modelzoo_storage::remove(&path).map_err(|source| OutputError::new(path, source).into())
    }

    /// Whether `results` are those that it speaks of.
    ///
    /// # Errors
    /// They are there, but cannot be read.
    pub fn is_of(&self, results: &Path) -> Result<bool, ShardError> {
        match digest_of(results) {
            Ok(digest) => Ok(digest == self.sha256),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(ShardError::read(results, source)),
        }
    }

    /// What makes the results of another shard, or of another time, others than these; `None` if nothing does.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let counts = (self.shard.count(), other.shard.count());
        if counts.0 != counts.1 {
            return Some(format!("one of {} shards, one of {}", counts.0, counts.1));
        }
        if self.field != other.field {
            return Some(format!("field {} instead of {}", other.field, self.field));
        }
        self.provenance.difference(&other.provenance)
    }
}

/// The hash of a file, here or behind a URL.
fn digest_of(path: &Path) -> io::Result<Sha256Digest> {
    Sha256Digest::of_reader(modelzoo_storage::open(path)?)
}

/// Where the record of `results` is.
fn record_path(results: &Path) -> PathBuf {
    let mut name = results.file_name().unwrap_or_default().to_owned();
    name.push(ENDING);
    results.with_file_name(name)
}
