//! Folders in the making.
use std::path::{Path, PathBuf};

use super::{Store, StoreError};

/// A folder in the store's `tmp/` that nobody else uses; deleted when dropped, unless it was published.
///
/// Its lock file is held while the process lives, so that another process can tell what a killed one left behind.
#[derive(Debug)]
pub struct Staging {
    folder: tempfile::TempDir,
    /// Released, whatever happens to the process, when the file is closed.
    _lock: fs_err::File,
    lock_path: PathBuf,
}

/// The ending of a staging folder's lock file, which is beside it.
pub(super) const LOCK_ENDING: &str = "lock";

impl Store {
    /// A new folder for something that will be published into the store.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn stage(&self) -> Result<Staging, StoreError> {
        let parent = self.temporary_dir();
        let failed = |source| StoreError::Write {
            path: parent.clone(),
            source,
        };
        let folder = tempfile::Builder::new()
            .prefix("stage-")
            .tempdir_in(&parent)
            .map_err(failed)?;
        let lock_path = folder.path().with_extension(LOCK_ENDING);
        let lock = fs_err::File::create_new(&lock_path).map_err(failed)?;
        lock.file().lock().map_err(failed)?;
        Ok(Staging {
            folder,
            _lock: lock,
            lock_path,
        })
    }
}

impl Staging {
    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
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
            Err(source) => Err(StoreError::Write {
                path: destination.to_owned(),
                source,
            }),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next `gc`.
        let _ = std::fs::remove_file(&self.lock_path);
    }
}
