//! Writing down what was resolved.

use super::{FoundModel, Zoo};
use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
    settings::LoadSettings,
};
use modelzoo_base::Sha256Digest;
use modelzoo_sources::{
    lock::{Change, LockError, RecordedLock},
    reference::{Location, ModelRef},
    weights::WeightsPlace,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What a lock file gains; then the file, and the changes in it.
#[derive(Debug)]
pub struct LockPlan {
    recorded: RecordedLock,
    unknown: Vec<String>,
}

impl Zoo {
    /// What it takes to begin the lock file that counts here, or to add to it, from what was run.
    ///
    /// # Errors
    /// When nothing says where a lock file is to be, or it cannot be read.
    pub fn plan_lock(&self) -> Result<LockPlan, ZooError> {
        Ok(LockPlan {
            recorded: RecordedLock::read(&self.settings.lock_place)?,
            unknown: Vec::new(),
        })
    }

    /// What it takes to pin these models, or all models of sources, in the lock file that counts here: commit, tree, and
    /// what is known of weights before they are downloaded. What is pinned stays at its commit. Sources are fetched, and
    /// nothing of them runs.
    ///
    /// # Errors
    /// When there is no such model, its source cannot be had or is a folder of this machine, or the lock may not change.
    pub fn plan_lock_models(&self, models: &[ModelRef]) -> Result<LockPlan, ZooError> {
        let (mut sources, mut unknown) = (BTreeMap::new(), Vec::new());
        for model in models {
            for found in self.find_all(model)? {
                let Some(key) = found.lock_key() else {
                    let path = match found.source.reference.location() {
                        Location::Path(path) => path.clone(),
                        _ => found.source.root.clone(),
                    };
                    return Err(LockError::OfThisMachine { path }.into());
                };
                let (name, weights) = (found.entry.name(), self.known_weights(&found)?);
                if weights.is_none() {
                    unknown.push(name.clone());
                }
                let mut lock = self.lock();
                if let Some(plugin) = found.built_in_plugin().filter(|_| found.needs_no_code()) {
                    lock.runs_built_in(&key, &plugin.to_string())?;
                }
                for (file, digest) in weights.unwrap_or_default() {
                    lock.downloaded(&key, &name, &file, digest)?;
                }
                if let Some(locked) = lock.lock().sources.get(&key) {
                    sources.insert(key, locked.clone());
                }
            }
        }
        Ok(LockPlan {
            recorded: RecordedLock::of(&self.settings.lock_place, sources)?,
            unknown,
        })
    }

    /// The digests of the files of a model, as its source or the store knows them; `None` where they are known only once
    /// they are downloaded.
    fn known_weights(&self, model: &FoundModel) -> Result<Option<BTreeMap<String, Sha256Digest>>, ZooError> {
        if self.place(model) != WeightsPlace::Missing {
            return Ok(Some(
                self.weights(model, None, &LoadSettings::default(), false)?.files,
            ));
        }
        if let Some(published) = &model.manifest.published {
            let folder = &model.manifest.folder;
            let digests = published.digests(folder, &self.settings.store);
            return Ok(Some(digests.map_err(ZooError::weights_file(folder))?));
        }
        // What is in an archive is not what the archive is.
        let manager = model
            .entry
            .manager
            .as_ref()
            .filter(|manager| !manager.extract_archive);
        Ok(manager
            .and_then(|manager| manager.sha256)
            .map(|sha256| BTreeMap::from([(model.entry.weights_name().to_owned(), sha256)])))
    }

    /// Writes what was resolved to the lock file that counts here, or to the record of this folder.
    pub(super) fn save_lock(&self) -> Result<(), ZooError> {
        Ok(self.lock().save()?)
    }
}

impl LockPlan {
    /// The lock file.
    pub fn path(&self) -> &Path {
        self.recorded.path()
    }

    /// The models whose weights nobody knows before they are downloaded: they are not pinned.
    pub fn unknown_weights(&self) -> &[String] {
        &self.unknown
    }
}

impl Plan for LockPlan {
    type Step = PlannedStep;
    type Outcome = (PathBuf, Vec<Change>);
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        let step = |change: &Change| PlannedStep::Lock {
            path: self.recorded.path().to_owned(),
            change: change.to_string(),
        };
        Ok(self.recorded.changes().iter().map(step).collect())
    }

    fn execute(self) -> Result<(PathBuf, Vec<Change>), ZooError> {
        let changes = self.recorded.changes();
        if changes.is_empty() && self.recorded.path().exists() {
            return Ok((self.recorded.path().to_owned(), changes));
        }
        Ok((self.recorded.write()?, changes))
    }
}
