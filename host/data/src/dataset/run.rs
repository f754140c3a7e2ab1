//! Runs: filling a field with a model's outputs, batch by batch, so that nothing is lost or done twice.

use super::{
    Dataset, SampleId,
    database::Database,
    error::{DatasetError, Reason},
    info::{self, FieldDescription},
    lease::{self, Lease},
    provenance::Provenance,
    reader::{Samples, Selection},
    store::{Writer, store},
    writer::metadata_text,
};
use crate::{
    label::Fields,
    record::{Metadata, field_name_problem},
};
use modelzoo_base::file::about;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use std::{collections::BTreeMap, path::PathBuf};

/// What to do about values that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Go on where a run with the same provenance ended; refuse to touch values of any other origin.
    #[default]
    Resume,
    /// Delete them and begin anew.
    Replace,
}

/// What became of one sample: its labels, or why there are none, on one line.
pub type Item = (SampleId, Result<Fields, String>);

/// What was seen of a sample's file meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFacts {
    /// Whose it is.
    pub sample: SampleId,
    /// What is known of it now, for datasets that did not know it yet.
    pub metadata: Option<Metadata>,
    /// What is wrong with it although it could be read, on a line.
    pub warning: Option<String>,
}

/// What became of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many are done.
    pub done: u64,
    /// How many have failed.
    pub failed: u64,
}

/// A run: the right to fill a field, held by one process at a time.
///
/// Dropping it leaves it unfinished: the next one with the same provenance goes on from there. So does the end of the
/// process at any moment.
#[derive(Debug)]
pub struct Run {
    id: i64,
    field: String,
    database: Database,
    lease: Lease,
    descriptions: BTreeMap<String, FieldDescription>,
}

impl Dataset {
    /// Begins to fill `field`, or goes on with a run that ended early. A finished run is opened again. Either lacks the
    /// samples that failed, which are tried again, and those that were added since.
    ///
    /// A model with several outputs fills several fields, whose names [`Run::commit_batch`] gets; `field` is what the
    /// user called it. A name of the form `field.attribute` stands for a run that adds to the labels of `field`, and
    /// may write it whoever has made it.
    ///
    /// # Errors
    /// [`Reason::RunInProgress`] while another process fills the field; [`Reason::OtherValues`] when the field has values
    /// that this run would not have made and `existing` is [`Existing::Resume`].
    pub fn begin_run(
        &mut self,
        field: &str,
        provenance: &Provenance,
        existing: Existing,
    ) -> Result<Run, DatasetError> {
        let path: PathBuf = self.path().to_owned();
        for name in field.split('.') {
            if let Some(problem) = field_name_problem(name) {
                return Err(Reason::InvalidFieldName(problem).at(&path));
            }
        }
        let mut database = self.database.reopen()?;
        let (id, lease) = database.write(|transaction| {
            // While this transaction has the write lock, no other process is between taking its lease and naming it.
            lease::clear_away(&path);
            let lease = Lease::take(&path).map_err(|error| Reason::Lock(about(&path, error)))?;
            let id = match find(transaction, field)? {
                Some(run) => {
                    run.check_unattended(&path, field)?;
                    run.reuse(transaction, field, provenance, existing)?
                }
                None => {
                    check_no_values(transaction, field, existing)?;
                    None
                }
            };
            let id = id.map_or_else(|| insert(transaction, field, provenance), Ok)?;
            transaction.execute(
                "UPDATE runs SET lease = ?, process = ?, finished_at = NULL WHERE id = ?",
                params![lease.name(), std::process::id(), id],
            )?;
            Ok((id, lease))
        })?;
        Ok(Run {
            id,
            field: field.to_owned(),
            database,
            lease,
            descriptions: BTreeMap::new(),
        })
    }
}

impl Run {
    /// What the user called it.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The samples that are not done yet, in order. What is committed meanwhile does not disturb it.
    pub fn pending(&self, selection: &Selection) -> Result<Samples, DatasetError> {
        Samples::pending(self.database.reopen()?, selection, self.id)
    }

    /// How many samples are done and have failed, now and in the processes before.
    pub fn progress(&self) -> Result<Progress, DatasetError> {
        self.database.with(|connection| {
            let query = "SELECT count(*) - count(error), count(error) FROM run_samples WHERE run_id = ?";
            Ok(connection.query_row(query, [self.id], |row| {
                Ok(Progress {
                    done: row.get(0)?,
                    failed: row.get(1)?,
                })
            })?)
        })
    }

    /// Says what the labels of `field` will be about; it is stored when the run finishes.
    pub fn describe(&mut self, field: impl Into<String>, description: FieldDescription) {
        self.descriptions.insert(field.into(), description);
    }

    /// Stores a batch: after a return without error all of it is in the dataset, before that nothing.
    ///
    /// Labels that the dataset cannot take (a type other than the field's, a field that another run has made) become
    /// failures of their samples. A sample that was done before gets the new labels.
    pub fn commit_batch(&mut self, batch: &[Item]) -> Result<Progress, DatasetError> {
        self.commit_batch_with_facts(batch, &[])
    }

    /// As [`Run::commit_batch`], with what was seen of the files of some of its samples.
    pub fn commit_batch_with_facts(
        &mut self,
        batch: &[Item],
        facts: &[FileFacts],
    ) -> Result<Progress, DatasetError> {
        let writer = Writer::Run {
            id: self.id,
            adds_to: self.field.split_once('.').map(|(field, _)| field),
        };
        let (id, field, lease) = (self.id, &self.field, self.lease.name());
        self.database.write(|transaction| {
            check_lease(transaction, id, field, &lease)?;
            let mut progress = Progress::default();
            for (sample, result) in batch {
                let error = match result {
                    Ok(labels) => store_labels(transaction, writer, *sample, labels)?,
                    Err(error) => Some(error.clone()),
                };
                match error {
                    None => progress.done += 1,
                    Some(_) => progress.failed += 1,
                }
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO run_samples (run_id, sample_id, error) VALUES (?, ?, ?)",
                    )?
                    .execute(params![id, sample.0, error])?;
            }
            for FileFacts {
                sample,
                metadata,
                warning,
            } in facts
            {
                if let Some(metadata) = metadata {
                    transaction
                        .prepare_cached("UPDATE samples SET metadata = ? WHERE id = ? AND metadata IS NULL")?
                        .execute(params![metadata_text(metadata)?, sample.0])?;
                }
                if let Some(warning) = warning {
                    transaction
                        .prepare_cached(
                            "UPDATE run_samples SET warning = ? WHERE run_id = ? AND sample_id = ?",
                        )?
                        .execute(params![warning, id, sample.0])?;
                }
            }
            Ok(progress)
        })
    }

    /// Says that all samples have been done, and gives the field free.
    pub fn finish(mut self) -> Result<Progress, DatasetError> {
        let (id, field, lease) = (self.id, &self.field, self.lease.name());
        let descriptions = &self.descriptions;
        self.database.write(|transaction| {
            check_lease(transaction, id, field, &lease)?;
            for (field, description) in descriptions {
                info::describe_field(transaction, field, description)?;
            }
            transaction.execute(
                "UPDATE runs SET lease = NULL, process = NULL,
                    finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
                [id],
            )?;
            Ok(())
        })?;
        self.progress()
    }
}

/// A run as it stands in the dataset.
struct StoredRun {
    id: i64,
    provenance: String,
    started_at: String,
    lease: Option<String>,
    process: Option<u32>,
}

fn find(connection: &Connection, field: &str) -> Result<Option<StoredRun>, Reason> {
    let query = "SELECT id, provenance, started_at, lease, process FROM runs WHERE field = ?";
    Ok(connection
        .query_row(query, [field], |row| {
            Ok(StoredRun {
                id: row.get(0)?,
                provenance: row.get(1)?,
                started_at: row.get(2)?,
                lease: row.get(3)?,
                process: row.get(4)?,
            })
        })
        .optional()?)
}

impl StoredRun {
    /// Refuses when a living process works on it.
    fn check_unattended(&self, dataset: &std::path::Path, field: &str) -> Result<(), Reason> {
        match &self.lease {
            Some(lease) if lease::is_held(dataset, lease) => Err(Reason::RunInProgress {
                field: field.to_owned(),
                process: self.process.unwrap_or_default(),
                since: self.started_at.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Prepares the run to go on, and gives its id; or deletes it with its fields, and gives `None`.
    fn reuse(
        &self,
        transaction: &Transaction<'_>,
        field: &str,
        provenance: &Provenance,
        existing: Existing,
    ) -> Result<Option<i64>, Reason> {
        if existing == Existing::Replace {
            transaction.execute("DELETE FROM runs WHERE id = ?", [self.id])?;
            return Ok(None);
        }
        let theirs: Provenance =
            serde_json::from_str(&self.provenance).map_err(|source| Reason::Corrupt {
                what: "a run's provenance",
                source,
            })?;
        if let Some(difference) = provenance.difference(&theirs) {
            return Err(Reason::OtherValues {
                field: field.to_owned(),
                difference: format!("they were made with {difference}"),
            });
        }
        transaction.execute(
            "DELETE FROM run_samples WHERE run_id = ? AND error IS NOT NULL",
            [self.id],
        )?;
        Ok(Some(self.id))
    }
}

fn check_no_values(transaction: &Transaction<'_>, field: &str, existing: Existing) -> Result<(), Reason> {
    if existing == Existing::Replace {
        transaction.execute("DELETE FROM fields WHERE name = ?", [field])?;
        return Ok(());
    }
    let query = "SELECT EXISTS (SELECT 1 FROM fields WHERE name = ?)";
    if transaction.query_row(query, [field], |row| row.get(0))? {
        return Err(Reason::OtherValues {
            field: field.to_owned(),
            difference: "no run of this name made them".to_owned(),
        });
    }
    Ok(())
}

fn insert(transaction: &Transaction<'_>, field: &str, provenance: &Provenance) -> Result<i64, Reason> {
    let provenance = serde_json::to_string(provenance).map_err(|source| Reason::Corrupt {
        what: "a run's provenance",
        source,
    })?;
    transaction.execute(
        "INSERT INTO runs (field, provenance) VALUES (?, ?)",
        params![field, provenance],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// Fails when another process has the lease: locks do not work on every network file system.
fn check_lease(connection: &Connection, id: i64, field: &str, lease: &str) -> Result<(), Reason> {
    let held = connection
        .prepare_cached("SELECT lease = ? FROM runs WHERE id = ?")?
        .query_row(params![lease, id], |row| row.get::<_, Option<bool>>(0))
        .optional()?;
    match held {
        Some(Some(true)) => Ok(()),
        _ => Err(Reason::TakenOver {
            field: field.to_owned(),
        }),
    }
}

/// Stores labels, or says why the dataset cannot take them.
fn store_labels(
    connection: &Connection,
    writer: Writer<'_>,
    sample: SampleId,
    labels: &Fields,
) -> Result<Option<String>, Reason> {
    match store(connection, writer, sample, labels) {
        Ok(()) => Ok(None),
        Err(failure @ (Reason::Sqlite(_) | Reason::Corrupt { .. })) => Err(failure),
        Err(refusal) => Ok(Some(refusal.to_string())),
    }
}
