//! What builds keep in the store for the next ones.
//!
//! The folder is the builder's. Known here is which of its parts grow with the versions of compilers and of the API, and how
//! to find out whether somebody builds.

use super::Store;
use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

/// What is compiled once for all sources, and where older versions of this program built each of them. Beside each folder
/// may be a file with its name and `.json`, which is written whenever it is used.
const GROWING_PARTS: [&str; 2] = ["shared", "sources"];

/// Somebody is building, and so uses what is in the build folder.
#[derive(Debug)]
pub(super) struct SomebodyBuilds;

impl Store {
    /// The folders in the build folder that are of use for one compiler and one API only. Where a link leads, others may build
    /// as well: there are none then.
    pub(super) fn build_parts(&self) -> Vec<PathBuf> {
        let builds = self.build_dir();
        if builds.is_symlink() {
            return Vec::new();
        }
        GROWING_PARTS.map(|part| builds.join(part)).to_vec()
    }

    /// Keeps others from building until the lock is dropped; there is none where nothing was ever built.
    pub(super) fn pause_builds(&self) -> Result<Option<File>, SomebodyBuilds> {
        let Ok(file) = File::create(self.build_dir().join("lock")) else {
            return Ok(None);
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(SomebodyBuilds),
            // Where files cannot be locked, builds do without as well.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
        }
    }
}

/// The file that is written whenever this folder of the build folder is used.
pub(super) fn use_record(folder: &Path) -> PathBuf {
    folder.with_extension("json")
}
