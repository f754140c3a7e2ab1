//! What a user does with sources: register, update, forget.

use super::{
    Zoo,
    find::{Known, is_locked},
};
use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
};
use modelzoo_sources::{
    SourceRef,
    registry::{Update, ZooSource},
    source::ResolvedSource,
};

/// The registration of a source; gives what is known of it from then on.
#[derive(Debug)]
pub struct RegisterPlan<'a> {
    zoo: &'a Zoo,
    source: Known<Registration>,
}

#[derive(Debug)]
enum Registration {
    /// It is registered, and stays as it is.
    Known(Box<ZooSource>),
    New(Box<ResolvedSource>),
}

/// The removal of a source from the register; gives what was known of it.
#[derive(Debug)]
pub struct ForgetPlan<'a> {
    zoo: &'a Zoo,
    source: ZooSource,
    with_weights: bool,
}

/// The present state of sources, to be taken over; gives what is different.
#[derive(Debug)]
pub struct UpdatePlan<'a> {
    zoo: &'a Zoo,
    /// In the order of the updates; `None` where a source is locked and not registered.
    sources: Vec<Option<ResolvedSource>>,
    updates: Vec<Update>,
}

impl Zoo {
    /// The registered sources, sorted by identity.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn registered_sources(&self) -> Result<Vec<ZooSource>, ZooError> {
        Ok(self.registry().sources()?)
    }

    /// A registered source, at whatever revision and however it is spelt.
    ///
    /// # Errors
    /// When it is not registered.
    pub fn registered_source(&self, reference: &SourceRef) -> Result<ZooSource, ZooError> {
        Ok(self.registry().find(reference)?)
    }

    /// What it takes to register a source, so that its models are known by name. None of its code runs. A source that is
    /// registered under the same reference is left as it is, unless `overwrite`: then it is looked up anew, archives
    /// included.
    ///
    /// # Errors
    /// When the source cannot be had, or is not what the lock says.
    pub fn plan_register(
        &self,
        reference: &SourceRef,
        overwrite: bool,
    ) -> Result<RegisterPlan<'_>, ZooError> {
        if !overwrite
            && let Ok(known) = self.registry().find(reference)
            && (known.reference == *reference || reference.is_local_path())
        {
            return Ok(RegisterPlan {
                zoo: self,
                source: Known::Here(Registration::Known(Box::new(known))),
            });
        }
        let found = self.find_source_at(reference, None, overwrite);
        let source = self.or_deferred(found.map(|source| Registration::New(Box::new(source))))?;
        Ok(RegisterPlan { zoo: self, source })
    }

    /// What it takes to forget a registered source. Its files stay in the store until they are collected; so do the
    /// weights of its models, unless `with_weights`.
    ///
    /// # Errors
    /// When it is not registered.
    pub fn plan_forget(&self, reference: &SourceRef, with_weights: bool) -> Result<ForgetPlan<'_>, ZooError> {
        Ok(ForgetPlan {
            zoo: self,
            source: self.registered_source(reference)?,
            with_weights,
        })
    }

    /// What has changed in a source that is registered or locked, or in all that are registered, and what it takes to have
    /// it. The new commits are fetched for that. A tag that has moved is accepted of a source that is named.
    ///
    /// # Errors
    /// When a source is neither registered nor locked, or cannot be had, a tag has moved, or the lock may not change.
    pub fn plan_update(&self, reference: Option<&SourceRef>) -> Result<UpdatePlan<'_>, ZooError> {
        let known = match reference {
            Some(reference) => match self.registered_source(reference) {
                Ok(known) if known.reference == *reference || !is_locked(self, reference) => vec![known],
                Err(error) if !is_locked(self, reference) => return Err(error),
                _ => return self.plan_locked_update(reference),
            },
            None => self.registered_sources()?,
        };
        let (mut sources, mut updates) = (Vec::new(), Vec::new());
        for old in known {
            let new = self.update_source(&old.reference, reference.is_some())?;
            updates.push(Update::between(&old, &new, &self.settings.store)?);
            sources.push(Some(new));
        }
        Ok(UpdatePlan {
            zoo: self,
            sources,
            updates,
        })
    }

    /// The same for a source that the lock alone knows.
    fn plan_locked_update(&self, reference: &SourceRef) -> Result<UpdatePlan<'_>, ZooError> {
        let old = ZooSource::of(&self.find_source(reference)?);
        let new = self.update_source(reference, true)?;
        Ok(UpdatePlan {
            zoo: self,
            sources: vec![None],
            updates: vec![Update::between(&old, &new, &self.settings.store)?],
        })
    }
}

impl Plan for RegisterPlan<'_> {
    type Step = PlannedStep;
    type Outcome = ZooSource;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        Ok(match &self.source {
            Known::Here(Registration::Known(_)) => Vec::new(),
            Known::Here(Registration::New(source)) => vec![PlannedStep::Register {
                source: source.identity.clone(),
                models: Some(source.models().count() as u64),
            }],
            Known::Elsewhere { reference } => vec![PlannedStep::Register {
                source: reference.clone(),
                models: None,
            }],
        })
    }

    fn execute(self) -> Result<ZooSource, ZooError> {
        let source = match self.source.here()? {
            Registration::Known(known) => return Ok(*known),
            Registration::New(source) => source,
        };
        let known = self.zoo.registry().register(&source)?;
        known.problems().for_each(|problem| tracing::warn!("{problem}"));
        self.zoo.save_lock()?;
        Ok(known)
    }
}

impl Plan for ForgetPlan<'_> {
    type Step = PlannedStep;
    type Outcome = ZooSource;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        let Self { zoo, source, .. } = self;
        let store = &zoo.settings.store;
        let weights = source
            .models()
            .filter(|_| self.with_weights)
            .map(|(_, model)| store.model_dir(&source.identity, &model.name()))
            .filter(|folder| folder.exists())
            .map(|path| PlannedStep::Delete { path });
        let forget = PlannedStep::Forget {
            source: source.identity.clone(),
        };
        Ok(std::iter::once(forget).chain(weights).collect())
    }

    fn execute(self) -> Result<ZooSource, ZooError> {
        let known = self.zoo.registry().remove(&self.source.reference)?;
        if self.with_weights {
            for (_, model) in known.models() {
                self.zoo
                    .settings
                    .store
                    .remove_model(&known.identity, &model.name())?;
            }
        }
        Ok(known)
    }
}

impl UpdatePlan<'_> {
    /// What is different in each source; nothing in those that stay as they are.
    pub fn updates(&self) -> &[Update] {
        &self.updates
    }
}

impl Plan for UpdatePlan<'_> {
    type Step = PlannedStep;
    type Outcome = Vec<Update>;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        let changed = self.sources.iter().zip(&self.updates);
        Ok(changed
            .filter(|(_, update)| update.is_change)
            .filter_map(|(source, _)| source.as_ref())
            .map(|source| PlannedStep::Register {
                source: source.identity.clone(),
                models: Some(source.models().count() as u64),
            })
            .collect())
    }

    fn execute(self) -> Result<Vec<Update>, ZooError> {
        let registry = self.zoo.registry();
        for (source, update) in self.sources.iter().zip(&self.updates) {
            if let Some(source) = source.as_ref().filter(|_| update.is_change) {
                registry.register(source)?;
            }
        }
        self.zoo.save_lock()?;
        Ok(self.updates)
    }
}
