//! Adding samples.

use super::{
    SampleId,
    database::Database,
    error::{DatasetError, Reason},
    store::{Writer, store},
};
use crate::record::{Metadata, SampleRecord};
use modelzoo_plugin_api::label::Label;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::BTreeMap;

/// How many samples one transaction adds: enough that the disk's part is small beside the rest.
const SAMPLES_PER_COMMIT: usize = 4096;

/// How many labels one transaction adds at most, so that samples with many do not pile up in memory.
const LABELS_PER_COMMIT: usize = 65_536;

/// How many bytes the masks of the samples may have that one transaction adds.
const MASK_BYTES_PER_COMMIT: usize = 64 << 20;

/// Adds samples in a stream, a few thousand in a transaction.
///
/// A path stands for one sample: a record whose path is already there adds its tags and labels to that sample. So an
/// import that was interrupted is simply done again.
#[derive(Debug)]
pub struct DatasetWriter {
    database: Database,
    waiting: Vec<SampleRecord>,
    labels_waiting: usize,
    mask_bytes_waiting: usize,
    summary: AddSummary,
}

/// What adding samples did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddSummary {
    /// How many samples are new.
    pub added: u64,
    /// How many records were of samples that were there before.
    pub merged: u64,
}

impl DatasetWriter {
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
            waiting: Vec::new(),
            labels_waiting: 0,
            mask_bytes_waiting: 0,
            summary: AddSummary::default(),
        }
    }

    /// Adds a sample.
    pub fn add(&mut self, record: SampleRecord) -> Result<(), DatasetError> {
        let labels = &record.labels;
        self.labels_waiting += labels.sample.len() + labels.frames.values().map(BTreeMap::len).sum::<usize>();
        self.mask_bytes_waiting += mask_bytes(&record);
        self.waiting.push(record);
        if self.waiting.len() >= SAMPLES_PER_COMMIT
            || self.labels_waiting >= LABELS_PER_COMMIT
            || self.mask_bytes_waiting >= MASK_BYTES_PER_COMMIT
        {
            self.commit()?;
        }
        Ok(())
    }

    /// Commits what is left.
    pub fn finish(mut self) -> Result<AddSummary, DatasetError> {
        self.commit()?;
        Ok(self.summary)
    }

    fn commit(&mut self) -> Result<(), DatasetError> {
        let records = std::mem::take(&mut self.waiting);
        self.labels_waiting = 0;
        self.mask_bytes_waiting = 0;
        let added = self.database.write(|transaction| {
            let mut added = 0;
            for record in &records {
                added += u64::from(add_record(transaction, record)?);
            }
            Ok(added)
        })?;
        self.summary.added += added;
        self.summary.merged += records.len() as u64 - added;
        Ok(())
    }
}

/// How much memory the masks of a sample's objects take, about.
fn mask_bytes(record: &SampleRecord) -> usize {
    let frames = record.labels.frames.values().flat_map(|labels| labels.values());
    let labels = record.labels.sample.values().chain(frames);
    labels
        .flat_map(|label| match label {
            Label::Detections(all) => all.detections.as_slice(),
            _ => &[],
        })
        .filter_map(|detection| detection.mask.as_ref())
        .map(|mask| mask.shape().iter().product::<usize>())
        .sum()
}

/// As it is stored.
pub(super) fn metadata_text(metadata: &Metadata) -> Result<String, Reason> {
    serde_json::to_string(metadata).map_err(|source| Reason::Corrupt {
        what: "a file's metadata",
        source,
    })
}

/// Adds one record; says whether its sample is new.
fn add_record(connection: &Connection, record: &SampleRecord) -> Result<bool, Reason> {
    let metadata = record.metadata.as_ref().map(metadata_text).transpose()?;
    let new: Option<i64> = connection
        .prepare_cached(
            "INSERT INTO samples (filepath, media_type, metadata) VALUES (?, ?, ?)
             ON CONFLICT (filepath) DO NOTHING RETURNING id",
        )?
        .query_row(
            params![
                record.filepath,
                super::media_type_name(record.media_type),
                metadata
            ],
            |row| row.get(0),
        )
        .optional()?;
    let sample = match new {
        Some(id) => SampleId(id),
        None => merge(connection, record, metadata.as_deref())?,
    };
    for tag in &record.tags {
        super::tags::add(connection, sample, tag)?;
    }
    if !record.labels.is_empty() {
        store(connection, Writer::Import, sample, &record.labels)?;
    }
    Ok(new.is_some())
}

fn merge(connection: &Connection, record: &SampleRecord, metadata: Option<&str>) -> Result<SampleId, Reason> {
    let id = connection
        .prepare_cached("SELECT id FROM samples WHERE filepath = ?")?
        .query_row([&record.filepath], |row| row.get(0))?;
    if metadata.is_some() {
        connection
            .prepare_cached("UPDATE samples SET metadata = ? WHERE id = ?")?
            .execute(params![metadata, id])?;
    }
    Ok(SampleId(id))
}
