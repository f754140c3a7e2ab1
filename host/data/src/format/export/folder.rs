//! Folders that appear whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::FormatError;
use crate::output::{OutputError, Temporary};

/// A folder that is filled beside its place and moved there by [`AtomicFolder::commit`].
#[derive(Debug)]
pub(super) struct AtomicFolder {
    target: PathBuf,
    temporary: TempDir,
    _registered: Temporary,
}

impl AtomicFolder {
    /// Begins a folder for `target`, where there must be nothing or an empty folder. Folders above it are made.
    pub fn create(target: &Path) -> Result<Self, FormatError> {
        check_free(target)?;
        let parent = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let make = || -> io::Result<TempDir> {
            std::fs::create_dir_all(parent)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(".modelzoo-").suffix(".tmp");
            // The default is readable by the owner alone; the result should be as any folder the user makes.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            builder.tempdir_in(parent)
        };
        let temporary = make().map_err(|source| OutputError::new(target, source))?;
        Ok(Self {
            _registered: Temporary::new(temporary.path()),
            temporary,
            target: target.to_owned(),
        })
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
    pub fn commit(self) -> Result<(), FormatError> {
        check_free(&self.target)?;
        let path = self.temporary.keep();
        let place = || {
            if self.target.is_dir() {
                std::fs::remove_dir(&self.target)?;
            }
            std::fs::rename(&path, &self.target)
        };
        place().map_err(|source| {
            // The error to tell is that of the move; what is left behind has a name that says what it is.
            let _ = std::fs::remove_dir_all(&path);
            OutputError::new(&self.target, source).into()
        })
    }
}

fn check_free(target: &Path) -> Result<(), FormatError> {
    let is_free = match std::fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    is_free.then_some(()).ok_or_else(|| FormatError::Exists {
        path: target.to_owned(),
    })
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
        assert!(matches!(
            AtomicFolder::create(&target),
            Err(FormatError::Exists { .. })
        ));
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
