//! The folder of a worker's own, where alone it may write.

use fs_err as fs;
use modelzoo_base::file::Temporary;
use std::{
    env,
    fs::File,
    io,
    path::Path,
    time::{Duration, SystemTime},
};
use tempfile::{Builder, TempDir};

const PREFIX: &str = "modelzoo-worker-";

/// A younger folder may not have its lock yet.
const LOCKED_AFTER: Duration = Duration::from_secs(60);

/// A folder that is deleted with this value, or when this program is ended by a signal; or else, as it is locked while
/// the program lives, by the next worker's host.
#[derive(Debug)]
pub(super) struct WorkerFolder {
    folder: TempDir,
    _registered: Temporary,
    /// Released, whatever happens to the process, when it is closed.
    _lock: File,
}

impl WorkerFolder {
    /// Makes one, and deletes those whose programs were killed.
    pub(super) fn new() -> io::Result<Self> {
        Self::within(&env::temp_dir())
    }

    fn within(parent: &Path) -> io::Result<Self> {
        remove_orphans(parent);
        let (registered, folder) = Temporary::make(|| Builder::new().prefix(PREFIX).tempdir_in(parent))?;
        let lock = File::open(folder.path())?;
        // Where folders cannot be locked, the next host cannot lock it either, and leaves it alone.
        if let Err(error) = lock.try_lock() {
            tracing::debug!(%error, "cannot lock the folder of a worker");
        }
        Ok(Self {
            folder,
            _registered: registered,
            _lock: lock,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Deletes the folders of workers that no host holds. What cannot be deleted is another user's, or stays for the next.
fn remove_orphans(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes())
            && is_orphan(&entry.path())
        {
            let removed = fs::remove_dir_all(entry.path());
            tracing::debug!(?removed, "a killed program left the folder of a worker");
        }
    }
}

fn is_orphan(folder: &Path) -> bool {
    let is_old = fs::symlink_metadata(folder)
        .ok()
        .filter(std::fs::Metadata::is_dir)
        .and_then(|metadata| SystemTime::now().duration_since(metadata.modified().ok()?).ok())
        .is_some_and(|age| age > LOCKED_AFTER);
    is_old && File::open(folder).is_ok_and(|folder| folder.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_programs_left_is_deleted_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let held = WorkerFolder::within(parent.path()).unwrap();
        let [orphan, young, other] = ["modelzoo-worker-a", "modelzoo-worker-b", "elsewhere"].map(|name| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        });
        let long_ago = SystemTime::now() - 2 * LOCKED_AFTER;
        for old in [held.path(), &orphan, &other] {
            File::open(old).unwrap().set_modified(long_ago).unwrap();
        }
        let next = WorkerFolder::within(parent.path()).unwrap();
        assert!(!orphan.exists());
        for kept in [held.path(), next.path(), &young, &other] {
            assert!(kept.exists(), "{}", kept.display());
        }
        let (held, gone) = (held.path().to_owned(), held);
        drop(gone);
        assert!(!held.exists());
    }
}
