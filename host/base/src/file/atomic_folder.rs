//! Folders that appear whole or not at all.

use super::{OutputError, Temporary, folder_of, temporary_folder};
use std::{
    io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder that is filled beside its place and moved there by [`AtomicFolder::commit`]. Dropped before that, it
/// leaves no trace.
#[derive(Debug)]
pub struct AtomicFolder {
    target: PathBuf,
    temporary: TempDir,
    _registered: Temporary,
}

impl AtomicFolder {
    /// Begins a folder for `target`. Folders above it are made.
    ///
    /// # Errors
    /// The folder cannot be made there.
    pub fn create(target: impl Into<PathBuf>) -> Result<Self, OutputError> {
        let target = target.into();
        match temporary_folder(folder_of(&target)) {
            Ok((registered, temporary)) => Ok(Self {
                target,
                temporary,
                _registered: registered,
            }),
            Err(source) => Err(OutputError::new(target, source)),
        }
    }

    /// Where to write, until it is committed.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Where it will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Puts the folder in its place.
    ///
    /// # Errors
    /// There is something that is no empty folder, or it cannot be moved there.
    pub fn commit(self) -> Result<(), OutputError> {
        let Self {
            target,
            temporary,
            _registered,
        } = self;
        let place = || -> io::Result<()> {
            if target.is_dir() {
                // Only where it is empty.
                fs_err::remove_dir(&target)?;
            }
            std::fs::rename(temporary.path(), &target)
        };
        match place() {
            Ok(()) => {
                // It has its new name now; there is nothing left to delete.
                drop(temporary.keep());
                Ok(())
            }
            Err(source) => Err(OutputError::new(target, source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_whole_and_over_nothing() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("new/export");
        let folder = AtomicFolder::create(&target).unwrap();
        std::fs::write(folder.path().join("a"), "1").unwrap();
        assert!(!target.exists());
        folder.commit().unwrap();
        assert_eq!(std::fs::read_to_string(target.join("a")).unwrap(), "1");
        let second = AtomicFolder::create(&target).unwrap();
        assert!(second.commit().is_err());
        assert_eq!(std::fs::read_to_string(target.join("a")).unwrap(), "1");
        assert_eq!(std::fs::read_dir(place.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    fn an_unfinished_folder_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let empty = place.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        drop(AtomicFolder::create(&empty).unwrap());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
        let folder = AtomicFolder::create(&empty).unwrap();
        std::fs::write(folder.path().join("a"), "1").unwrap();
        folder.commit().unwrap();
        assert!(empty.join("a").exists());
    }
}
