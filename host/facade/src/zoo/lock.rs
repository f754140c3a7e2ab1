//! Writing down what was resolved.

use super::Zoo;
use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
};
use modelzoo_sources::lock::{Change, RecordedLock};
use std::path::{Path, PathBuf};

/// What a lock file gains from what was run in its folder; then the file, and the changes in it.
#[derive(Debug)]
pub struct LockPlan(RecordedLock);

impl Zoo {
    /// What it takes to begin the lock file that counts here, or to add to it, from what was run.
    ///
    /// # Errors
    /// When nothing says where a lock file is to be, or it cannot be read.
    pub fn plan_lock(&self) -> Result<LockPlan, ZooError> {
        Ok(LockPlan(RecordedLock::read(&self.settings.lock_place)?))
    }

    /// Writes what was resolved to the lock file that counts here, or to the record of this folder.
    pub(super) fn save_lock(&self) -> Result<(), ZooError> {
        Ok(self.lock().save()?)
    }
}

impl LockPlan {
    /// The lock file.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Plan for LockPlan {
    type Step = PlannedStep;
    type Outcome = (PathBuf, Vec<Change>);
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        let step = |change: &Change| PlannedStep::Lock {
            path: self.0.path().to_owned(),
            change: change.to_string(),
        };
        Ok(self.0.changes().iter().map(step).collect())
    }

    fn execute(self) -> Result<(PathBuf, Vec<Change>), ZooError> {
        let changes = self.0.changes();
        Ok((self.0.write()?, changes))
    }
}
