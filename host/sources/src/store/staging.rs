//! Folders in the making.
use super::{Store, StoreError};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// A folder in the store's `tmp/` that nobody else uses; deleted when dropped, unless it was published.
///
/// A lock on the file beside it is held while the process lives, so that another process can tell what a killed one
/// left behind.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    lock_path: PathBuf,
    /// Released, whatever happens to the process, when the file is closed.
    _lock: File,
}

/// The ending of a staging folder's lock file.
pub(super) const LOCK_ENDING: &str = "lock";

impl Store {
    /// A new folder for something that will be published into the store.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn stage(&self) -> Result<Staging, StoreError> {
        let parent = self.temporary_dir();
        let failed = StoreError::write(&parent);
        // The lock comes first: a folder without one would have to be left alone for long.
        let lock_file = tempfile::Builder::new()
            .prefix("stage-")
            .suffix(&format!(".{LOCK_ENDING}"))
            .tempfile_in(&parent)
            .map_err(&failed)?;
        lock_file.as_file().lock().map_err(&failed)?;
        let (lock, lock_path) = lock_file.keep().map_err(|error| failed(error.error))?;
        let staging = Staging {
            folder: lock_path.with_extension(""),
            lock_path,
            _lock: lock,
        };
        fs_err::create_dir(&staging.folder).map_err(failed)?;
        Ok(staging)
    }
}

impl Staging {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Renames `part` of the folder (or all of it, for an empty path) to `destination`. False when there is something
    /// at the destination already, which is left as it is.
    ///
    /// # Errors
    /// The rename fails for another reason.
    pub fn publish(&self, part: &str, destination: &Path) -> Result<bool, StoreError> {
        let from = if part.is_empty() {
            self.path().to_owned()
        } else {
            self.path().join(part)
        };
        match std::fs::rename(&from, destination) {
            Ok(()) => Ok(true),
            Err(_) if destination.exists() => Ok(false),
            Err(error) => Err(StoreError::write(destination)(error)),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next `gc`.
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_file(&self.lock_path);
    }
}
