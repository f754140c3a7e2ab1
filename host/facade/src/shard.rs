//! The results of one shard of an input: where they go, and whether they are there already.

use crate::model::Model;
use modelzoo_data::{
    dataset::Existing,
    shard::{Shard, ShardError, ShardRecord},
};
use modelzoo_engine::{Outcome, Work};
use std::path::{Path, PathBuf};

/// What is to be done about a shard.
#[derive(Debug)]
pub enum ShardState {
    /// Nothing: its results are there, and were made by the same model with the same options.
    Done(Box<ShardRecord>),
    /// It has to be run.
    Open(Box<ShardResults>),
}

/// The results of a shard that is being run.
#[derive(Debug)]
pub struct ShardResults {
    path: PathBuf,
    record: ShardRecord,
}

impl ShardState {
    /// What is to be done about `shard`, whose results go to `path`. What is there of a run that was ended, or was
    /// changed, is replaced; so is what was made otherwise, where `existing` says so.
    ///
    /// # Errors
    /// The shard was done by another model or with other options, or its record cannot be read.
    pub fn of(
        shard: Shard,
        path: &Path,
        field: String,
        work: &Work<'_>,
        model: &Model,
        existing: Existing,
    ) -> Result<Self, ShardError> {
        let info = model.info();
        let mut record = ShardRecord::new(shard, field, work.provenance().clone());
        record.classes.clone_from(&info.classes);
        record.keypoints.clone_from(&info.keypoints);
        record.skeleton.clone_from(&info.skeleton);
        if existing != Existing::Replace
            && let Some(done) = ShardRecord::read(path)?
            && done.is_of(path)?
        {
            return match done.difference(&record) {
                None => Ok(Self::Done(Box::new(done))),
                Some(difference) => Err(ShardError::DoneOtherwise {
                    path: path.to_owned(),
                    difference,
                }),
            };
        }
        ShardRecord::remove(path)?;
        Ok(Self::Open(Box::new(ShardResults {
            path: path.to_owned(),
            record,
        })))
    }
}

impl ShardResults {
    /// Says that they are in their place.
    ///
    /// # Errors
    /// They cannot be read, or it cannot be said.
    pub fn finish(mut self, outcome: &Outcome) -> Result<(), ShardError> {
        self.record.failed = outcome.summary.failed;
        self.record.positions.clone_from(&outcome.positions);
        self.record.write(&self.path)
    }
}
