//! The whole content of small files.

use super::{folder_of, temporary_file};
use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

/// Writes `content` to `path` through a temporary file beside it and a rename, creating parent folders.
/// A link there is replaced, not followed. A reader, or a process killed at any moment, sees the old content or the new one.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let (_registered, mut file) = temporary_file(folder_of(path), ".tmp")?;
    file.write_all(content.as_ref())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes to `path` what `change` makes of its present text (`None`: there is no file); nothing when that is `None`.
///
/// Meanwhile the file `guard` is locked, so that of several processes that do the same none undoes another's change.
/// Where locks do not work, that may happen; a damaged file does not.
///
/// # Errors
/// The file cannot be read or written, or what `change` fails with.
pub fn update<E: From<io::Error>>(
    path: &Path,
    guard: &Path,
    change: impl FnOnce(Option<String>) -> Result<Option<String>, E>,
) -> Result<(), E> {
    if let Some(folder) = guard.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let guard = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(guard)?;
    let _ = guard.lock();
    let text = match fs_err::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    match change(text)? {
        Some(text) => Ok(write(path, text)?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn updates_of_many_at_once_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, guard) = (folder.path().join("file"), folder.path().join("guard"));
        std::thread::scope(|scope| {
            for letter in 'a'..='z' {
                let (path, guard) = (&path, &guard);
                scope.spawn(move || {
                    super::update::<std::io::Error>(path, guard, |text| {
                        Ok(Some(text.unwrap_or_default() + &letter.to_string()))
                    })
                });
            }
        });
        let mut letters: Vec<char> = std::fs::read_to_string(&path).unwrap().chars().collect();
        letters.sort_unstable();
        assert_eq!(letters, ('a'..='z').collect::<Vec<_>>());
        super::update::<std::io::Error>(&path, &guard, |_| Ok(None)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().len(), 26);
    }

    #[test]
    fn replaces_a_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/file");
        super::write(&path, "one").unwrap();
        super::write(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
