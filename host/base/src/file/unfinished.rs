//! What is written beside its place until it is finished, so that it can be cleared away when the program is ended from
//! outside.

use std::{
    collections::BTreeSet,
    io,
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
    /// Makes a file or folder that is temporary from its first moment on: between making it and knowing of it, nothing can
    /// be cleared away.
    ///
    /// What is given back is to be dropped in the same order: the file first, then what knows of it. Variables do that
    /// as they stand here, fields when the file is before.
    ///
    /// # Errors
    /// What `make` fails with.
    pub fn make<T: AsRef<Path>>(make: impl FnOnce() -> io::Result<T>) -> io::Result<(Self, T)> {
        let mut temporaries = temporaries();
        let made = make()?;
        let path = made.as_ref().to_owned();
        temporaries.insert(path.clone());
        Ok((Self(path), made))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        temporaries().remove(&self.0);
    }
}

/// As long as this lives, whoever wants to make something temporary, or to be done with it, waits.
#[derive(Debug)]
#[must_use = "what is made after this is dropped stays behind"]
pub struct NoTemporaries(
    #[expect(dead_code, reason = "it is held, not read")] MutexGuard<'static, BTreeSet<PathBuf>>,
);

/// Deletes every file and folder that is temporary now: for a program that is about to end without dropping what it has,
/// and keeps what is given back until then.
pub fn remove_temporaries() -> NoTemporaries {
    let temporaries = temporaries();
    for path in temporaries.iter() {
        // What cannot be deleted stays, under a name that says what it is.
        let _ = match path.is_dir() {
            true => std::fs::remove_dir_all(path),
            false => std::fs::remove_file(path),
        };
    }
    NoTemporaries(temporaries)
}
