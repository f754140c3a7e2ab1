//! Who works on a run: a lock file, which the operating system unlocks when its process ends, however it ends.
//!
//! The file's random name stands in the run's row. It is locked before its name is written there, and names are never
//! used twice, so whoever finds the file missing or unlocked knows that the run's process is gone for good.

use crate::output::Temporary;
use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io,
    path::Path,
};
use tempfile::NamedTempFile;

/// A held lease. Dropping it deletes the lock file.
#[derive(Debug)]
pub(super) struct Lease {
    file: NamedTempFile,
    _registered: Temporary,
}

impl Lease {
    /// Makes and locks a new lock file beside the dataset.
    pub(super) fn take(dataset: &Path) -> io::Result<Self> {
        let prefix = prefix(dataset);
        let made = Temporary::make(|| {
            tempfile::Builder::new()
                .prefix(&prefix)
                .tempfile_in(folder(dataset))
        });
        let (registered, file) = made?;
        file.as_file().lock()?;
        Ok(Self {
            file,
            _registered: registered,
        })
    }

    /// The name by which others find it.
    pub(super) fn name(&self) -> String {
        self.file
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }
}

/// Whether the process that took the lease `name` is still there. Clears away the lock file of one that is not.
pub(super) fn is_held(dataset: &Path, name: &str) -> bool {
    let path = folder(dataset).join(name);
    let Ok(file) = File::open(&path) else {
        return false;
    };
    match file.try_lock() {
        // Where locks do not work at all, nobody is thrown out.
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        Ok(()) => {
            // The file tells nobody anything any more; if it cannot be deleted, it is only in the way.
            let _ = std::fs::remove_file(&path);
            false
        }
    }
}

/// Deletes the lock files of processes that died before they could name them in the dataset. To be called in a
/// transaction that has the write lock, as leases are taken.
pub(super) fn clear_away(dataset: &Path) {
    let Ok(entries) = std::fs::read_dir(folder(dataset)) else {
        return;
    };
    let prefix = prefix(dataset);
    for name in entries.flatten().map(|entry| entry.file_name()) {
        if name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
            && let Some(name) = name.to_str()
        {
            is_held(dataset, name);
        }
    }
}

/// How the names of a dataset's lock files begin.
fn prefix(dataset: &Path) -> OsString {
    let mut prefix = dataset.file_name().unwrap_or_default().to_owned();
    prefix.push("-run-");
    prefix
}

/// The folder that a dataset is in.
pub(super) fn folder(dataset: &Path) -> &Path {
    match dataset.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::{Lease, clear_away, is_held};

    #[test]
    fn a_lease_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = folder.path().join("photos.db");
        let lease = Lease::take(&dataset).unwrap();
        let name = lease.name();
        assert!(is_held(&dataset, &name));
        drop(lease);
        assert!(!is_held(&dataset, &name));
    }

    #[test]
    fn the_lock_file_of_a_dead_process_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = folder.path().join("photos.db");
        std::fs::write(folder.path().join("photos.db-run-dead"), "").unwrap();
        assert!(!is_held(&dataset, "photos.db-run-dead"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn lock_files_that_nobody_names_are_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = folder.path().join("photos.db");
        let lease = Lease::take(&dataset).unwrap();
        for name in ["photos.db-run-dead", "photos.db", "other.db-run-dead"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        clear_away(&dataset);
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["other.db-run-dead", "photos.db", &lease.name()]);
    }
}
