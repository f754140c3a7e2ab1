//! Files that are there whole or not at all.
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes `content` to `path` through a temporary file beside it and a rename, creating parent folders.
/// A reader, or a process killed at any moment, sees the old content or the new one.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder)?;
    let mut file = new_temporary_file(folder)?;
    file.write_all(content.as_ref())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes to `path` what `change` makes of its present text (`None`: there is no file); nothing when that is `None`.
///
/// Meanwhile the file `guard` is locked, so that of several processes that do the same none undoes another's change.
/// Where locks do not work, that may happen; a damaged file does not.
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

/// What the user can do about a file of the store that cannot be written.
pub(crate) fn hint_about_writing(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free space with `modelzoo store gc`, or set MODELZOO_STORE to a folder on another disk"
        }
        _ => "check who may write there, or set MODELZOO_STORE to another folder",
    }
}

/// A new temporary file in `folder`, with the permissions that an ordinary new file gets.
pub(crate) fn new_temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The process's umask is applied to these, as it is for any file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
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
