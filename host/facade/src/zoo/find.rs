use super::{Event, Zoo, ZooError, services::DownloadProgress};
use modelzoo_sources::{
    Sha256Digest, SourceRef,
    git::FetchProgress,
    lock::SourceKey,
    manifest::ModelEntry,
    reference::{Forges, Revision},
    source::{ResolveOptions, ResolvedSource, SourceCommit, SourceManifest, resolve},
    zoo::RegistryError,
};

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

impl FoundModel {
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
        let hosts = self.settings.config.github.hosts.iter().cloned();
        Ok(Forges::with_enterprise_hosts(hosts).parse(spelling)?)
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
        if source.fetched {
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
        let identity = reference.identity();
        let observer = &self.settings.observer;
        let progress = |progress: FetchProgress| {
            let total = Some(progress.total_objects as u64).filter(|&total| total > 0);
            observer.notice(Event::Fetching {
                source: &identity,
                done: progress.received_objects as u64,
                total,
            });
        };
        let resolved = resolve(
            reference,
            &ResolveOptions {
                store: &self.settings.store,
                mirrors: &self.settings.config.mirrors,
                credentials: &self.credentials,
                offline: self.settings.offline,
                cancellation: &self.settings.cancellation,
                progress: Some(&progress),
                refresh,
                downloader: &self.downloader,
                download_progress: &DownloadProgress::new(observer.as_ref()),
            },
        );
        observer.notice(Event::Over);
        Ok(resolved?)
    }

    /// Gets a source at what its reference means now, and notes that in the lock instead of what it says.
    ///
    /// # Errors
    /// When the source cannot be had, or the lock may not change.
    pub fn update_source(&self, reference: &SourceRef) -> Result<ResolvedSource, ZooError> {
        let source = self.resolve(reference, true)?;
        if let Some(key) = lock_key(&source.reference) {
            self.lock().release(&key);
            self.note_in_lock(&key, &source)?;
        }
        Ok(source)
    }

    fn note_in_lock(&self, key: &SourceKey, source: &ResolvedSource) -> Result<(), ZooError> {
        let mut lock = self.lock();
        let commit = source.commit.as_ref();
        let is_tag = commit
            .and_then(|commit| commit.ref_name.as_deref())
            .is_some_and(|name| name.starts_with("refs/tags/"));
        if let Some(commit) = commit.filter(|_| is_tag)
            && let Some(moved) = lock.moved_tag(key, &commit.id)
        {
            if lock.path().is_some() {
                return Err(ZooError::MovedTag(moved));
            }
            tracing::warn!("{moved}");
        }
        let cargo_lock = Sha256Digest::of_file(source.path.join("Cargo.lock")).ok();
        lock.resolved(
            key,
            commit.map(|commit| commit.id.as_str()),
            source.tree_hash,
            cargo_lock,
        )?;
        Ok(())
    }

    /// Finds a model: a known name (`base_name[@version]`), or a source and the `name` of a model in it. A source with
    /// one model needs no name. A known name wins over a source of the same spelling; `gh:user/repo` is never a name.
    ///
    /// # Errors
    /// When there is no such model, or several and no name; or the source cannot be had.
    pub fn find_model(&self, model: &str, name: Option<&str>) -> Result<FoundModel, ZooError> {
        if let (true, None) = (may_be_name(model), name) {
            match self.catalog()?.find(model) {
                Ok(known) => {
                    // An update is taken when the user asks for it, and not because a branch has moved.
                    let registered = known.source();
                    let source =
                        self.find_source_at(&registered.reference, registered.commit.as_ref(), false)?;
                    return found(source, Some(known.name()));
                }
                Err(error @ RegistryError::UnknownModel { .. }) if model.contains('/') => {
                    // It may be a source; but a slip in a name should not end at somebody's repository unnoticed.
                    if let RegistryError::UnknownModel { suggestions, .. } = &error
                        && !suggestions.is_empty()
                    {
                        tracing::warn!("{error}; {model} is taken for a source");
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        found(self.find_source(&self.parse_reference(model)?)?, name)
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

/// Whether a text can be a model's name: not a path, not a URL, nothing that says that it is a source.
fn may_be_name(text: &str) -> bool {
    !text.starts_with(['.', '/'])
        && !text.contains("://")
        && !text.starts_with("gh:")
        && !text.starts_with("git@")
}

/// What the lock calls a source; `None` for local folders.
fn lock_key(reference: &SourceRef) -> Option<SourceKey> {
    (!reference.is_local_path()).then(|| SourceKey::of(reference))
}
