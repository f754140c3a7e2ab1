//! From what a person names to a source and a model in it.

use super::{Network, Zoo};
use crate::{built_in::plugin_of_published_models, error::ZooError};
use modelzoo_base::{Sha256Digest, progress::Event};
use modelzoo_runtime::BuiltInPlugin;
use modelzoo_sources::{
    SourceRef,
    lock::{LockFile, MovedTag, SourceKey},
    manifest::ModelEntry,
    reference::{Forges, ModelRef, Revision},
    registry::RegistryError,
    source::{ResolveOptions, ResolvedSource, SourceCommit, SourceError, SourceManifest, resolve},
};
use serde_json::{Map, Value};

/// A model and the source that declares it. Nothing of the source has run yet.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundModel {
    /// The source.
    pub source: ResolvedSource,
    /// The manifest that declares the model, and its folder.
    pub manifest: SourceManifest,
    /// What it says of the model.
    pub entry: ModelEntry,
}

/// What is known of a source, or of something in it, before the network is used.
#[derive(Debug)]
pub(super) enum Known<T> {
    /// It is here.
    Here(T),
    /// It is not here yet.
    Elsewhere {
        /// The source, as a person spells it.
        reference: String,
    },
}

impl<T> Known<T> {
    /// What is here.
    ///
    /// # Errors
    /// When it is not: a plan whose source was not fetched cannot be executed.
    pub(super) fn here(self) -> Result<T, ZooError> {
        match self {
            Self::Here(found) => Ok(found),
            Self::Elsewhere { reference } => Err(SourceError::Offline { reference }.into()),
        }
    }
}

impl FoundModel {
    /// The plugin that runs it, where that is built in.
    pub fn built_in_plugin(&self) -> Option<BuiltInPlugin> {
        if self.manifest.published.is_none() {
            self.deployment()?;
        }
        plugin_of_published_models()
    }

    /// Whether no code of its source runs: it is published, or described by its manifest.
    pub(super) fn needs_no_code(&self) -> bool {
        self.manifest.published.is_some() || self.deployment().is_some()
    }

    /// What the manifest says of a model that needs no code of its source: `None` where the source has code, which then
    /// counts, and where the manifest says nothing of the kind.
    pub(super) fn deployment(&self) -> Option<&Map<String, Value>> {
        if self.manifest.published.is_some() || self.manifest.has_plugin() {
            return None;
        }
        self.entry.torch_image_model()
    }

    /// What the lock calls its source; `None` for local folders, which are the user's own and change as he likes.
    pub(super) fn lock_key(&self) -> Option<SourceKey> {
        lock_key(&self.source.reference)
    }
}

impl Zoo {
    /// Reads a spelling of a source, by the configured hosts.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn parse_reference(&self, spelling: &str) -> Result<SourceRef, ZooError> {
        Ok(self.forges().parse(spelling)?)
    }

    /// Reads a spelling of a model, by the configured hosts. `name` says which one of its source it is where the spelling
    /// does not.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn parse_model(&self, spelling: &str, name: Option<&str>) -> Result<ModelRef, ZooError> {
        Ok(self.forges().parse_model(spelling, name)?)
    }

    fn forges(&self) -> Forges {
        Forges::with_enterprise_hosts(self.settings.config.github.hosts.iter().cloned())
    }

    /// Gets a source, unless the store has it. A source in the lock is taken at its locked commit.
    ///
    /// # Errors
    /// When the source cannot be had, or is not what the lock says.
    pub fn find_source(&self, reference: &SourceRef) -> Result<ResolvedSource, ZooError> {
        self.find_source_at(reference, None, false)
    }

    /// Gets a source at its locked commit, else at `registered`, else at what its reference means now; `refresh` looks
    /// whether an archive that the store has, and that is not locked, has changed.
    pub(super) fn find_source_at(
        &self,
        reference: &SourceRef,
        registered: Option<&SourceCommit>,
        refresh: bool,
    ) -> Result<ResolvedSource, ZooError> {
        let reference = &self.lock().settle(reference);
        let key = lock_key(reference);
        let locked = key.as_ref().and_then(|key| self.lock().pinned(key).cloned());
        let refresh = refresh && locked.is_none();
        let pinned = locked
            .and_then(|locked| locked.commit)
            .or_else(|| registered.map(|commit| commit.id.clone()))
            .and_then(|commit| Revision::named(&commit).ok());
        let mut source = match &pinned {
            Some(commit) => self.resolve(&reference.clone().with_revision(commit.clone()), false)?,
            None => self.resolve(reference, refresh)?,
        };
        // What a published model keeps elsewhere is fetched when it is needed.
        if source.fetched && !source.is_published() {
            for omission in &source.omissions {
                tracing::warn!("{}: {omission}", source.identity);
            }
        }
        if pinned.is_some() {
            source.reference = reference.clone();
        }
        if let Some(key) = lock_key(&source.reference) {
            self.note_in_lock(&key, &source)?;
        }
        Ok(source)
    }

    /// Gets a source at what its reference means now, whatever the lock says; `refresh` downloads an archive that the
    /// store has once more.
    fn resolve(&self, reference: &SourceRef, refresh: bool) -> Result<ResolvedSource, ZooError> {
        let resolved = resolve(
            reference,
            &ResolveOptions {
                store: &self.settings.store,
                access: self.access(),
                refresh,
            },
        );
        self.settings.observer.notice(Event::Over);
        Ok(resolved?)
    }

    /// Gets a source at what its reference means now, and notes that in the lock instead of what it says. A tag that has
    /// moved is an alarm, unless the user asked for this source.
    pub(super) fn update_source(
        &self,
        reference: &SourceRef,
        is_asked_for: bool,
    ) -> Result<ResolvedSource, ZooError> {
        let source = self.resolve(reference, true)?;
        if let Some(key) = lock_key(&source.reference) {
            let mut lock = self.lock();
            if let Some(moved) = moved_tag(&lock, &key, &source) {
                if !is_asked_for && lock.path().is_some() {
                    return Err(ZooError::MovedTag(moved.into()));
                }
                tracing::warn!("{moved}");
            }
            lock.release(&key);
            drop(lock);
            self.note_in_lock(&key, &source)?;
        }
        Ok(source)
    }

    pub(super) fn note_in_lock(&self, key: &SourceKey, source: &ResolvedSource) -> Result<(), ZooError> {
        let mut lock = self.lock();
        if let Some(moved) = moved_tag(&lock, key, source) {
            if lock.path().is_some() {
                return Err(ZooError::MovedTag(moved.into()));
            }
            tracing::warn!("{moved}");
        }
        let cargo_lock = Sha256Digest::of_file(source.path.join("Cargo.lock")).ok();
        lock.resolved(
            key,
            source.commit.as_ref().map(|commit| commit.id.as_str()),
            source.tree_hash,
            cargo_lock,
        )?;
        Ok(())
    }

    /// Finds a model; its source is fetched where it has to be. A known name wins over a source of the same spelling.
    ///
    /// # Errors
    /// When there is no such model, or several and no name; or the source cannot be had.
    pub fn find(&self, model: &ModelRef) -> Result<FoundModel, ZooError> {
        match model {
            ModelRef::Name(name) => self.find_by_name(name),
            ModelRef::InSource { source, model } => found(self.find_source(source)?, model.as_deref()),
        }
    }

    /// The same; of a source without the name of a model, all that it has.
    pub(super) fn find_all(&self, model: &ModelRef) -> Result<Vec<FoundModel>, ZooError> {
        let source = match model {
            ModelRef::InSource { source, model: None } => self.find_source(source)?,
            ModelRef::Name(name) if name.contains('/') && self.catalog()?.find(name).is_err() => {
                self.find_source(&self.parse_reference(name)?)?
            }
            _ => return Ok(vec![self.find(model)?]),
        };
        let found = source.models().map(|(manifest, entry)| FoundModel {
            source: source.clone(),
            manifest: manifest.clone(),
            entry: entry.clone(),
        });
        Ok(found.collect())
    }

    fn find_by_name(&self, name: &str) -> Result<FoundModel, ZooError> {
        match self.catalog()?.find(name) {
            Ok(known) => {
                // An update is taken when the user asks for it, and not because a branch has moved.
                let registered = known.source();
                let source = self.find_source_at(&registered.reference, registered.commit.as_ref(), false)?;
                return found(source, Some(known.name()));
            }
            Err(error @ RegistryError::UnknownModel { .. }) if name.contains('/') => {
                // It may be a source; but a slip in a name should not end at somebody's repository unnoticed.
                if let RegistryError::UnknownModel { suggestions, .. } = &error
                    && !suggestions.is_empty()
                {
                    tracing::warn!("{error}; {name} is taken for a source");
                }
            }
            Err(error) => return Err(error.into()),
        }
        found(self.find_source(&self.parse_reference(name)?)?, None)
    }

    /// What a plan can know of what was looked for: where the network has to wait, a source that is not here is to be
    /// fetched.
    pub(super) fn or_deferred<T>(&self, found: Result<T, ZooError>) -> Result<Known<T>, ZooError> {
        match found {
            Ok(found) => Ok(Known::Here(found)),
            Err(ZooError::Source(SourceError::Offline { reference }))
                if self.settings.network == Network::Deferred =>
            {
                Ok(Known::Elsewhere { reference })
            }
            Err(error) => Err(error),
        }
    }
}

/// The model called `name` of a source, or its only one.
fn found(source: ResolvedSource, name: Option<&str>) -> Result<FoundModel, ZooError> {
    let (manifest, entry) = source.select(name)?;
    let (manifest, entry) = (manifest.clone(), entry.clone());
    Ok(FoundModel {
        source,
        manifest,
        entry,
    })
}

/// The alarm where a source was found by a tag that the lock knows at another commit.
fn moved_tag(lock: &LockFile, key: &SourceKey, source: &ResolvedSource) -> Option<MovedTag> {
    let commit = source.commit.as_ref()?;
    let is_tag = commit.ref_name.as_deref()?.starts_with("refs/tags/");
    let moved = is_tag.then(|| lock.moved_tag(key, &commit.id))??;
    Some(MovedTag {
        spelling: source.reference.to_string(),
        ..moved
    })
}

/// Whether the lock knows a source, as it is spelt.
pub(super) fn is_locked(zoo: &Zoo, reference: &SourceRef) -> bool {
    lock_key(reference).is_some_and(|key| zoo.lock().pinned(&key).is_some())
}

/// What the lock calls a source; `None` for local folders.
fn lock_key(reference: &SourceRef) -> Option<SourceKey> {
    (!reference.is_local_path()).then(|| SourceKey::of(reference))
}
