//! Listing, verifying and emptying the store.
use super::{
    Store, StoreError, builds,
    sources::{MARKER, TREE},
    staging::LOCK_ENDING,
};
use crate::tree::{hash_folder, visit};
use modelzoo_base::{Sha256Digest, artifact};
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Component, Path, PathBuf},
    time::{Duration, SystemTime},
};

/// What an entry of the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreEntryKind {
    /// The files of a source.
    Source,
    /// Weights.
    Weights,
    /// A built plugin.
    Artifact,
    /// A crate that came in a bundle.
    Crate,
    /// What bytes stand for in a model's networks.
    Calibration,
    /// What is compiled for many plugins, for one compiler.
    Build,
    /// Something that a process is making, or was making when it was killed.
    Temporary,
}

/// Something in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreEntry {
    /// What it is.
    pub kind: StoreEntryKind,
    /// Its name: a hash, but for what is temporary and what builds share.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The bytes of its files.
    pub size_bytes: u64,
    /// When it was last used.
    #[serde(skip)]
    pub last_used: SystemTime,
}

/// Whether an entry is what its name says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// Content and name fit.
    Intact,
    /// The content has another hash.
    Changed {
        /// The hash of the content.
        found: Sha256Digest,
    },
    /// The content cannot be read.
    Unreadable {
        /// Why not.
        reason: String,
    },
}

/// What [`Store::gc`] deletes.
#[derive(Clone, Debug, Default)]
pub struct GcOptions {
    /// Entries that were not used for this long; `None` keeps all finished entries.
    pub unused_for: Option<Duration>,
    /// Source trees that are kept in any case.
    pub keep_sources: Vec<Sha256Digest>,
    /// Weights and artifacts that are kept in any case.
    pub keep: Vec<Sha256Digest>,
}

/// What [`Store::gc`] deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// The entries.
    pub entries: Vec<StoreEntry>,
    /// The bytes of their files.
    pub size_bytes: u64,
}

impl Store {
    /// All that the store holds, sorted by kind and name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self) -> Result<Vec<StoreEntry>, StoreError> {
        let kinds = [
            (StoreEntryKind::Source, self.sources_dir()),
            (StoreEntryKind::Weights, self.weights_dir()),
            (StoreEntryKind::Artifact, self.artifacts_dir()),
            (StoreEntryKind::Crate, self.crates_dir()),
            (StoreEntryKind::Calibration, self.calibrations_dir()),
            (StoreEntryKind::Temporary, self.temporary_dir()),
        ];
        let builds = self.build_parts().into_iter();
        let kinds = kinds
            .into_iter()
            .chain(builds.map(|part| (StoreEntryKind::Build, part)));
        let mut entries = Vec::new();
        for (kind, folder) in kinds {
            // Most stores have no crates, and many no builds.
            let is_rare = matches!(
                kind,
                StoreEntryKind::Crate | StoreEntryKind::Calibration | StoreEntryKind::Build
            );
            if is_rare && !folder.exists() {
                continue;
            }
            let failed = StoreError::read(&folder);
            for found in fs_err::read_dir(&folder).map_err(&failed)? {
                let path = found.map_err(&failed)?.path();
                // The other files there belong to folders.
                if kind == StoreEntryKind::Build && !path.is_dir() {
                    continue;
                }
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                // A plugin in the making lies beside those that are made.
                let is_new = kind == StoreEntryKind::Artifact && name.starts_with('.');
                let kind = if is_new { StoreEntryKind::Temporary } else { kind };
                match describe(kind, name, path) {
                    Ok(entry) => entries.push(entry),
                    // Another process published or deleted it in this moment.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        entries.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        Ok(entries)
    }

    /// Reads all sources and weights and compares them with their names, and built plugins with what their records say.
    /// `checked` is told of each; what was changed
    /// is moved away when `repair` is set, to be fetched again on its next use.
    ///
    /// # Errors
    /// The store cannot be read, or not be repaired. A broken entry is no error but a verdict.
    pub fn verify(
        &self,
        repair: bool,
        checked: &mut dyn FnMut(&StoreEntry, &Verdict),
    ) -> Result<(), StoreError> {
        for entry in self.list()? {
            // Files in the making and lock files are not named by a digest.
            let Ok(name) = entry.name.parse::<Sha256Digest>() else {
                continue;
            };
            let compared = match entry.kind {
                StoreEntryKind::Source => {
                    hash_folder(&entry.path.join(TREE), &|_| false).map(|found| (found, name))
                }
                StoreEntryKind::Weights => Sha256Digest::of_file(&entry.path).map(|found| (found, name)),
                StoreEntryKind::Artifact => artifact_digests(&entry.path),
                // What a crate's or a calibration's name is the hash of is not kept.
                StoreEntryKind::Crate
                | StoreEntryKind::Calibration
                | StoreEntryKind::Build
                | StoreEntryKind::Temporary => continue,
            };
            let verdict = match compared {
                Ok((found, expected)) if found == expected => Verdict::Intact,
                Ok((found, _)) => Verdict::Changed { found },
                Err(error) => Verdict::Unreadable {
                    reason: error.to_string(),
                },
            };
            if repair && verdict != Verdict::Intact {
                self.remove(&entry.path)?;
            }
            checked(&entry, &verdict);
        }
        Ok(())
    }

    /// Deletes what killed processes left behind, and what was not used for long. Gives it.
    ///
    /// # Errors
    /// The store cannot be read or written to.
    pub fn gc(&self, options: &GcOptions) -> Result<Garbage, StoreError> {
        let garbage = self.garbage(options)?;
        self.delete(&garbage)?;
        Ok(garbage)
    }

    /// Deletes what [`Store::garbage`] has found.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub fn delete(&self, garbage: &Garbage) -> Result<(), StoreError> {
        let paused = self.pause_builds();
        garbage.entries.iter().try_for_each(|entry| {
            if entry.kind != StoreEntryKind::Build {
                return self.remove(&entry.path);
            }
            // A build that has begun since may be using it; it goes the next time.
            if paused.is_err() {
                return Ok(());
            }
            self.remove(&entry.path)?;
            self.remove(&builds::use_record(&entry.path))
        })
    }

    /// What killed processes left behind, and what was not used for long.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn garbage(&self, options: &GcOptions) -> Result<Garbage, StoreError> {
        let now = SystemTime::now();
        let mut garbage = Garbage::default();
        let somebody_builds = self.pause_builds().is_err();
        for entry in self.list()? {
            let digest = entry.name.parse::<Sha256Digest>().ok();
            let kept = match entry.kind {
                StoreEntryKind::Source => &options.keep_sources,
                _ => &options.keep,
            };
            let is_old = options.unused_for.is_some_and(|limit| {
                now.duration_since(entry.last_used)
                    .is_ok_and(|unused| unused >= limit)
            });
            let goes = match entry.kind {
                StoreEntryKind::Temporary => is_abandoned(&entry.path, now),
                StoreEntryKind::Build => is_old && !somebody_builds,
                _ => is_old && digest.is_some_and(|digest| !kept.contains(&digest)),
            };
            if !goes {
                continue;
            }
            garbage.size_bytes += entry.size_bytes;
            garbage.entries.push(entry);
        }
        Ok(garbage)
    }

    /// Takes an entry out of sight by one rename, and then deletes it: no process sees half of it.
    ///
    /// # Errors
    /// It cannot be renamed or deleted.
    pub fn remove(&self, entry: &Path) -> Result<(), StoreError> {
        let failed = StoreError::write(entry);
        if !entry.starts_with(&self.root) || entry.components().any(|part| part == Component::ParentDir) {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is outside of the store",
            )));
        }
        let staging = self.stage()?;
        match std::fs::rename(entry, staging.path().join("removed")) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn describe(kind: StoreEntryKind, name: String, path: PathBuf) -> io::Result<StoreEntry> {
    let metadata = std::fs::symlink_metadata(&path)?;
    let mut size_bytes = 0;
    if metadata.is_dir() {
        visit(&path, "", &|_| false, &mut |_, _, place| {
            size_bytes += std::fs::symlink_metadata(place)?.len();
            Ok(())
        })?;
    } else {
        size_bytes = metadata.len();
    }
    let marker = match kind {
        StoreEntryKind::Build => builds::use_record(&path),
        _ => path.join(MARKER),
    };
    let marker = std::fs::metadata(marker).and_then(|marker| marker.modified());
    let last_used = match marker {
        Ok(time) => time,
        Err(_) => metadata.modified()?,
    };
    Ok(StoreEntry {
        kind,
        name,
        path,
        size_bytes,
        last_used,
    })
}

/// The digest of a built plugin, and the one that the record beside it gives. Its name is the digest of what it was
/// made from.
fn artifact_digests(folder: &Path) -> io::Result<(Sha256Digest, Sha256Digest)> {
    #[derive(Deserialize)]
    struct Record {
        sha256: Sha256Digest,
    }
    let record: Record = serde_json::from_slice(&fs_err::read(artifact::record(folder))?)?;
    Ok((Sha256Digest::of_file(artifact::library(folder))?, record.sha256))
}

/// Whether the process that made something in `tmp/` is gone.
fn is_abandoned(path: &Path, now: SystemTime) -> bool {
    /// Downloads have no lock, and are continued by the next process that wants them.
    const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
    let lock_path = path.with_extension(LOCK_ENDING);
    let Ok(lock) = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&lock_path)
    else {
        let modified = std::fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        return modified.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > GRACE));
    };
    // While the process lives, it holds the lock.
    lock.try_lock().is_ok()
}
