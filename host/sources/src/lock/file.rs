//! The lock of one run: read at its start, asked and filled during it, written at its end.
use super::{
    Change, ContentMismatch, FILE_NAME, Lock, LockError, LockedSource, MovedTag, SourceKey, prebuilt_name,
};
use crate::{
    SourceRef,
    identity::{spelling_at, split_subdirectory},
};
use modelzoo_base::{Sha256Digest, file};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

/// Where a run looks for its lock, and where it records what it resolved.
#[derive(Clone, Debug)]
pub struct LockPlace {
    /// The file that the user named, if he did. It need not exist.
    pub file: Option<PathBuf>,
    /// The folder from which one is looked for, upwards; mostly the current one. `None` looks for none.
    pub folder: Option<PathBuf>,
    /// The folder for the records of runs without a lock file; part of the store.
    pub records: PathBuf,
}

/// The lock of one run.
#[derive(Debug)]
pub struct LockFile {
    /// The lock file, if there is one (or one is to be begun).
    path: Option<PathBuf>,
    place: LockPlace,
    locked: bool,
    before: Lock,
    now: Lock,
    /// What this run has asked for: the rest is another's and stays as it is.
    touched: BTreeSet<SourceKey>,
    /// What is to be resolved anew.
    released: BTreeSet<SourceKey>,
}

impl LockPlace {
    /// The lock file that counts here: the one that was named, or the nearest one upwards.
    pub fn find(&self) -> Option<PathBuf> {
        let nearest = || {
            let folders = self.folder.as_ref()?.ancestors();
            folders
                .map(|folder| folder.join(FILE_NAME))
                .find(|file| file.is_file())
        };
        self.file.clone().or_else(nearest)
    }

    /// The record of the runs in this folder.
    fn record(&self) -> PathBuf {
        let folder = file::absolute(self.folder.as_deref().unwrap_or(Path::new("")));
        let name = Sha256Digest::of(folder.as_os_str().as_encoded_bytes()).short();
        self.records.join(name).with_extension("lock")
    }

    /// The file that is locked while `file` is written.
    fn guard(&self, file: &Path) -> PathBuf {
        let name = Sha256Digest::of(file.as_os_str().as_encoded_bytes()).short();
        self.records.join(name).with_extension("guard")
    }
}

/// What is recorded for a folder and not in its lock file yet.
#[derive(Debug)]
pub struct RecordedLock {
    place: LockPlace,
    /// The lock file, which need not exist.
    path: PathBuf,
    before: Lock,
    new: BTreeMap<SourceKey, LockedSource>,
}

impl RecordedLock {
    /// Reads what is recorded for the folder of `place`, and the lock file that it belongs to: the one that counts, or
    /// else a new one in this folder.
    pub fn read(place: &LockPlace) -> Result<Self, LockError> {
        let new_file = || Some(place.folder.as_ref()?.join(FILE_NAME));
        let path = place.find().or_else(new_file).ok_or(LockError::NoPlace)?;
        let before = read(&path)?.unwrap_or_default();
        let record = read(&place.record())?.unwrap_or_default();
        let is_new = |(key, _): &(SourceKey, LockedSource)| !before.sources.contains_key(key);
        Ok(Self {
            new: record.sources.into_iter().filter(is_new).collect(),
            place: place.clone(),
            path,
            before,
        })
    }

    /// What `sources` make of the lock file that counts at `place`, or else of a new one in its folder: each takes the place
    /// of what the file says of it.
    pub fn of(place: &LockPlace, sources: BTreeMap<SourceKey, LockedSource>) -> Result<Self, LockError> {
        Ok(Self {
            new: sources,
            ..Self::read(place)?
        })
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it to the lock file, beside what is locked there already. Gives the file.
    pub fn write(self) -> Result<PathBuf, LockError> {
        write(&self.path, &self.place, true, self.new)?;
        Ok(self.path)
    }

    /// What the lock file gains.
    pub fn changes(&self) -> Vec<Change> {
        let mut now = self.before.clone();
        now.sources.extend(self.new.clone());
        self.before.changes_to(&now)
    }
}

impl LockFile {
    /// Reads the lock that counts at `place`. With `locked` (as `--locked`) it must exist, and nothing may change in it.
    pub fn open(place: LockPlace, locked: bool) -> Result<Self, LockError> {
        let path = place.find();
        if locked && !path.as_ref().is_some_and(|path| path.is_file()) {
            return Err(LockError::Missing {
                folder: place.file.or(place.folder).unwrap_or(place.records),
            });
        }
        let before = match &path {
            Some(path) => read(path)?,
            // A record is a convenience: one that cannot be read is as good as none.
            None => read(&place.record()).ok().flatten(),
        }
        .unwrap_or_default();
        let now = before.clone();
        Ok(Self {
            path,
            place,
            locked,
            before,
            now,
            touched: BTreeSet::new(),
            released: BTreeSet::new(),
        })
    }

    /// The lock file that counts, if any.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What is locked or recorded as of now.
    pub fn lock(&self) -> &Lock {
        &self.now
    }

    /// `reference` as the lock file knows it: where `tree/a/b` is locked, it is known which part of it is a folder.
    pub fn settle(&self, reference: &SourceRef) -> SourceRef {
        let known = self.before.sources.keys().find_map(|key| {
            let (_, folder) = split_subdirectory(&key.identity);
            let settled = reference.clone().settled(folder);
            (SourceKey::of(&settled) == *key).then_some(settled)
        });
        known.unwrap_or_else(|| reference.clone())
    }

    /// What `key` is pinned to: to be used instead of asking the remote. `None` when nothing is, or without a lock file.
    pub fn pinned(&self, key: &SourceKey) -> Option<&LockedSource> {
        self.path.as_ref()?;
        self.before
            .sources
            .get(key)
            .filter(|_| !self.released.contains(key))
    }

    /// Unpins `key`, to be resolved anew: an update that the user asked for.
    pub fn release(&mut self, key: &SourceKey) {
        self.released.insert(key.clone());
    }

    /// The alarm when the tag that `key` asks for was at another commit before, by the lock file or by the record of
    /// earlier runs, and was not [released](Self::release). For tags only: branches are meant to move. With a lock file (see
    /// [`path`](Self::path)) it is an error to go on; without one, a warning.
    pub fn moved_tag(&self, key: &SourceKey, commit: &str) -> Option<MovedTag> {
        if self.released.contains(key) {
            return None;
        }
        let before = self.before.sources.get(key)?.commit.clone()?;
        (before != commit).then(|| MovedTag {
            identity: key.identity.clone(),
            tag: key.revision.clone().unwrap_or_default(),
            before,
            now: commit.to_owned(),
            spelling: spelling_at(&key.identity, key.revision.as_deref()),
        })
    }

    /// Notes what `key` resolved to. The same commit with another tree is an integrity error.
    pub fn resolved(
        &mut self,
        key: &SourceKey,
        commit: Option<&str>,
        tree: Sha256Digest,
        cargo_lock: Option<Sha256Digest>,
    ) -> Result<(), LockError> {
        if let Some(pinned) = self
            .pinned(key)
            .filter(|pinned| pinned.commit.as_deref() == commit)
        {
            self.same("the tree", key, pinned.tree, tree)?;
        }
        let mut source = LockedSource::new(commit.map(str::to_owned), tree, cargo_lock);
        if let Some(before) = self.now.sources.get(key).filter(|before| before.tree == tree) {
            source.built_in.clone_from(&before.built_in);
            source.artifacts.clone_from(&before.artifacts);
            source.prebuilt.clone_from(&before.prebuilt);
            source.weights.clone_from(&before.weights);
        }
        self.change(key, source)
    }

    /// Notes the plugin built of `key` for `target`. Another one than the locked one is a change; under `--locked`, one for
    /// a target that is not locked is not, since it contradicts nothing: it was built here, from the locked source.
    pub fn built(&mut self, key: &SourceKey, target: &str, artifact: Sha256Digest) -> Result<(), LockError> {
        let Some(mut source) = self.now.sources.get(key).cloned() else {
            return Ok(());
        };
        if self.locked && !source.artifacts.contains_key(target) {
            return Ok(());
        }
        source.artifacts.insert(target.to_owned(), artifact);
        let of_target = prebuilt_name(target, "");
        source.prebuilt.retain(|name, _| !name.starts_with(&of_target));
        self.change(key, source)
    }

    /// Whether the plugin of `key` for `target` is locked as one that was built, and not taken as its author compiled it.
    pub fn is_locked_as_built(&self, key: &SourceKey, target: &str) -> bool {
        let of_target = prebuilt_name(target, "");
        self.pinned(key).is_some_and(|source| {
            source.artifacts.contains_key(target)
                && !source.prebuilt.keys().any(|name| name.starts_with(&of_target))
        })
    }

    /// The digest that the archive of a prebuilt plugin must have, if it is pinned.
    pub fn expected_prebuilt(&self, key: &SourceKey, target: &str, variant: &str) -> Option<Sha256Digest> {
        let name = prebuilt_name(target, variant);
        self.pinned(key)?.prebuilt.get(&name).copied()
    }

    /// Notes that the prebuilt plugin of `key` in the archive `archive` was taken, whose library is `artifact`. As with
    /// [`built`](Self::built), `--locked` minds only what contradicts the lock.
    pub fn took_prebuilt(
        &mut self,
        key: &SourceKey,
        target: &str,
        variant: &str,
        archive: Sha256Digest,
        artifact: Sha256Digest,
    ) -> Result<(), LockError> {
        let Some(mut source) = self.now.sources.get(key).cloned() else {
            return Ok(());
        };
        if self.locked && !source.artifacts.contains_key(target) {
            return Ok(());
        }
        source.artifacts.insert(target.to_owned(), artifact);
        source.prebuilt.insert(prebuilt_name(target, variant), archive);
        self.change(key, source)
    }

    /// Notes that the models of `key` are run by a plugin that is built in, and its version.
    pub fn runs_built_in(&mut self, key: &SourceKey, version: &str) -> Result<(), LockError> {
        let Some(mut source) = self.now.sources.get(key).cloned() else {
            return Ok(());
        };
        source.built_in = Some(version.to_owned());
        self.change(key, source)
    }

    /// The digest that the file `path` of `model` must have, if it is pinned. To be asked before it is downloaded.
    pub fn expected_weights(&self, key: &SourceKey, model: &str, path: &str) -> Option<Sha256Digest> {
        self.pinned(key)?.weights.get(model)?.get(path).copied()
    }

    /// Notes a file of `model` by its path in the model's folder. Another content than the pinned one is an integrity error.
    pub fn downloaded(
        &mut self,
        key: &SourceKey,
        model: &str,
        path: &str,
        weights: Sha256Digest,
    ) -> Result<(), LockError> {
        if let Some(expected) = self.expected_weights(key, model, path) {
            self.same(&format!("{path} of the model {model}"), key, expected, weights)?;
        }
        let Some(mut source) = self.now.sources.get(key).cloned() else {
            return Ok(());
        };
        source
            .weights
            .entry(model.to_owned())
            .or_default()
            .insert(path.to_owned(), weights);
        self.change(key, source)
    }

    /// What this run changed so far.
    pub fn changes(&self) -> Vec<Change> {
        self.before.changes_to(&self.now)
    }

    /// Writes what this run changed: into the lock file, or else into the record of this folder. What other processes
    /// wrote meanwhile about other sources is kept.
    pub fn save(&mut self) -> Result<(), LockError> {
        if self.locked || self.before == self.now {
            return Ok(());
        }
        let path = self.path.clone().unwrap_or_else(|| self.place.record());
        let mine: BTreeMap<_, _> = self
            .touched
            .iter()
            .filter_map(|key| Some((key.clone(), self.now.sources.get(key)?.clone())))
            .collect();
        write(&path, &self.place, self.path.is_some(), mine)?;
        self.before = self.now.clone();
        Ok(())
    }

    fn same(
        &self,
        what: &str,
        key: &SourceKey,
        expected: Sha256Digest,
        found: Sha256Digest,
    ) -> Result<(), LockError> {
        match &self.path {
            Some(path) if expected != found => Err(LockError::Content(Box::new(ContentMismatch {
                path: path.clone(),
                key: key.clone(),
                what: what.to_owned(),
                expected,
                found,
            }))),
            _ => Ok(()),
        }
    }

    fn change(&mut self, key: &SourceKey, source: LockedSource) -> Result<(), LockError> {
        let before = self.now.sources.insert(key.clone(), source);
        self.touched.insert(key.clone());
        if let Some(path) = self.path.as_ref().filter(|_| self.locked) {
            let changes = self.before.changes_to(&self.now);
            if !changes.is_empty() {
                let path = path.clone();
                match before {
                    Some(before) => self.now.sources.insert(key.clone(), before),
                    None => self.now.sources.remove(key),
                };
                return Err(LockError::Locked { path, changes });
            }
        }
        Ok(())
    }
}

/// The lock at `path`; `None` when there is no file.
fn read(path: &Path) -> Result<Option<Lock>, LockError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Lock::parse(&text, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LockError::file("read", path)(error)),
    }
}

/// Puts `sources` into the lock at `path`, leaving the others in it as they are at that moment. A damaged file is
/// refused if it is the user's, and replaced if it is a record.
fn write(
    path: &Path,
    place: &LockPlace,
    users: bool,
    sources: BTreeMap<SourceKey, LockedSource>,
) -> Result<(), LockError> {
    let change = |text: Option<String>| -> Result<_, WriteFailure> {
        let mut lock = match text.map(|text| Lock::parse(&text, path)) {
            Some(Ok(lock)) => lock,
            Some(Err(error)) if users => return Err(WriteFailure::Lock(error)),
            Some(Err(_)) | None => Lock::default(),
        };
        lock.sources.extend(sources);
        Ok(Some(lock.to_toml()))
    };
    file::update(path, &place.guard(path), change).map_err(|failure| match failure {
        WriteFailure::Lock(error) => error,
        WriteFailure::File(error) => LockError::file("write", path)(error),
    })
}

/// Carries both kinds of errors through an update.
enum WriteFailure {
    Lock(LockError),
    File(io::Error),
}

impl From<io::Error> for WriteFailure {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}
