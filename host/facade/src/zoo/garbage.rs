//! Tidying the store.

use super::Zoo;
use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
};
use modelzoo_sources::store::{Garbage, GcOptions, Store, StoreEntry};

/// The deletion of what killed processes left behind, and of what was not used for long; gives what it was.
#[derive(Debug)]
pub struct GarbagePlan<'a> {
    store: &'a Store,
    garbage: Garbage,
}

impl Zoo {
    /// What there is to delete in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn plan_gc(&self, options: &GcOptions) -> Result<GarbagePlan<'_>, ZooError> {
        let store = &self.settings.store;
        Ok(GarbagePlan {
            store,
            garbage: store.garbage(options)?,
        })
    }
}

impl GarbagePlan<'_> {
    /// What goes.
    pub fn garbage(&self) -> &Garbage {
        &self.garbage
    }
}

impl Plan for GarbagePlan<'_> {
    type Step = PlannedStep;
    type Outcome = Garbage;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        let step = |entry: &StoreEntry| PlannedStep::Delete {
            path: entry.path.clone(),
        };
        Ok(self.garbage.entries.iter().map(step).collect())
    }

    fn execute(self) -> Result<Garbage, ZooError> {
        self.store.delete(&self.garbage)?;
        Ok(self.garbage)
    }
}
