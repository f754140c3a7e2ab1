//! What is written beside its place until it is finished, so that it can be cleared away when the program is ended from
//! outside.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

static TEMPORARIES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn temporaries() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder that is temporary as long as this lives.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// The file or folder at `path` is temporary from now on.
    pub fn new(path: &Path) -> Self {
        temporaries().insert(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        temporaries().remove(&self.0);
    }
}

/// Deletes every file and folder that is temporary now: for a program that is about to end without dropping what it has.
pub fn remove_temporaries() {
    for path in temporaries().iter() {
        // What cannot be deleted stays, under a name that says what it is.
        let _ = match path.is_dir() {
            true => std::fs::remove_dir_all(path),
            false => std::fs::remove_file(path),
        };
    }
}
