//! Taking what is in a bundle, as if it had been fetched and downloaded here. Nothing of it runs, and no consent is given.

use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
    zoo::Zoo,
};
use modelzoo_base::{Sha256Digest, progress::Event};
use modelzoo_sources::{
    SourceRef,
    bundle::{Bundle, UnpackedBundle},
    lock::SourceKey,
    source::ResolvedSource,
};
use std::path::Path;

/// What it takes to have what is in a bundle; then what that was.
#[derive(Debug)]
pub struct LoadBundlePlan<'a> {
    zoo: &'a Zoo,
    bundle: Bundle,
}

/// What was in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedBundle {
    /// The sources, as they can be asked for from now on.
    pub sources: Vec<SourceRef>,
}

impl Zoo {
    /// What it takes to have what is in a bundle. `sha256` is the hash of the file, where it is known by another way than
    /// the bundle: then what the bundle says is believed as what was fetched is.
    ///
    /// # Errors
    /// When it cannot be read, or is no bundle or another one.
    pub fn plan_load_bundle(
        &self,
        path: &Path,
        sha256: Option<Sha256Digest>,
    ) -> Result<LoadBundlePlan<'_>, ZooError> {
        Ok(LoadBundlePlan {
            zoo: self,
            bundle: Bundle::open(path, sha256)?,
        })
    }

    /// Notes what is in a bundle in the lock, and refuses what contradicts it.
    fn note_bundle(&self, unpacked: &UnpackedBundle, sources: &[ResolvedSource]) -> Result<(), ZooError> {
        for source in sources {
            let key = SourceKey::of(&source.reference);
            self.note_in_lock(&key, source)?;
            let Some(locked) = unpacked.lock().sources.get(&key) else {
                continue;
            };
            for (model, files) in &locked.weights {
                for (file, digest) in files {
                    self.lock().downloaded(&key, model, file, *digest)?;
                }
            }
        }
        Ok(())
    }
}

impl LoadBundlePlan<'_> {
    fn references(&self) -> impl Iterator<Item = &SourceRef> {
        self.bundle.index().sources.iter().map(|source| &source.reference)
    }
}

impl Plan for LoadBundlePlan<'_> {
    type Step = PlannedStep;
    type Outcome = LoadedBundle;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        Ok(vec![PlannedStep::LoadBundle {
            path: self.bundle.path().to_owned(),
            sources: self.references().map(ToString::to_string).collect(),
            size_bytes: self.bundle.index().size_bytes(),
        }])
    }

    fn execute(self) -> Result<LoadedBundle, ZooError> {
        let Self { zoo, bundle } = &self;
        let settings = &zoo.settings;
        let unpacked = bundle.unpack(
            &settings.store,
            settings.observer.as_ref(),
            &settings.cancellation,
        );
        settings.observer.notice(Event::Over);
        let unpacked = unpacked?;
        zoo.note_bundle(&unpacked, &unpacked.sources(&settings.store)?)?;
        for source in unpacked.publish(&settings.store)? {
            zoo.registry().register(&source)?;
        }
        zoo.save_lock()?;
        Ok(LoadedBundle {
            sources: self.references().cloned().collect(),
        })
    }
}
