//! Files that appear whole or not at all.

use super::{OutputError, Temporary, folder_of, temporary_file};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// A file that is written beside its place and moved there by [`AtomicFile::commit`]. Dropped before that, it leaves
/// no trace, and a file that was there stays. Writes are buffered.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Temporary(BufWriter<NamedTempFile>, Temporary),
    /// A device or a pipe, which must not be replaced by a file.
    Special(BufWriter<File>),
}

impl AtomicFile {
    /// Begins a file for `path`. Missing folders above it are made; a link there is followed, not replaced; a device
    /// or named pipe is written to directly.
    ///
    /// # Errors
    /// The file cannot be made, or there is a folder.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OutputError> {
        let given = path.as_ref();
        let path = given.canonicalize().unwrap_or_else(|_| given.to_owned());
        let target = Target::create(&path).map_err(|source| OutputError::new(given, source))?;
        Ok(Self { path, target })
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// It cannot be written or moved there; then the old one stays.
    pub fn commit(self) -> Result<(), OutputError> {
        let failure = |source| OutputError::new(&self.path, source);
        match self.target {
            Target::Special(mut writer) => writer.flush().map_err(failure),
            Target::Temporary(writer, _registered) => {
                let file = writer.into_inner().map_err(|error| failure(error.into_error()))?;
                file.as_file().sync_all().map_err(failure)?;
                file.persist(&self.path)
                    .map(drop)
                    .map_err(|error| failure(error.error))
            }
        }
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Target {
    fn create(path: &Path) -> io::Result<Self> {
        match path.metadata() {
            Ok(existing) if existing.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(existing) if !existing.is_file() => {
                return Ok(Self::Special(BufWriter::new(
                    File::options().write(true).open(path)?,
                )));
            }
            _ => {}
        }
        let (registered, file) = temporary_file(folder_of(path), ".tmp")?;
        Ok(Self::Temporary(BufWriter::new(file), registered))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Temporary(writer, _) => writer.write(bytes),
            Target::Special(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Temporary(writer, _) => writer.flush(),
            Target::Special(writer) => writer.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs_err::read_dir(folder).expect("readable");
        entries
            .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
            .collect()
    }

    #[test]
    fn nothing_is_there_before_the_commit_and_no_trace_without_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("new/result.txt");
        let mut file = AtomicFile::create(&path).expect("writable");
        file.write_all(b"all of it").expect("writable");
        file.flush().expect("writable");
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(&folder.path().join("new")), Vec::<String>::new());

        let mut file = AtomicFile::create(&path).expect("writable");
        file.write_all(b"all of it").expect("writable");
        file.commit().expect("writable");
        assert_eq!(fs_err::read(&path).expect("readable"), b"all of it");
        assert_eq!(names(&folder.path().join("new")), ["result.txt"]);
    }

    #[test]
    fn a_folder_in_the_place_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = AtomicFile::create(folder.path()).expect_err("a folder");
        assert_eq!(error.source.kind(), io::ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_devices_kept_and_permissions_as_usual() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt};
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs_err::write(&real, b"old").expect("writable");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        let mut file = AtomicFile::create(&link).expect("writable");
        file.write_all(b"new").expect("writable");
        file.commit().expect("writable");
        assert_eq!(fs_err::read(&real).expect("readable"), b"new");
        assert!(link.is_symlink());
        // Group and others may read, as far as the user's mask lets them.
        let usual = File::create(folder.path().join("usual"))
            .expect("writable")
            .metadata()
            .expect("readable");
        let mode = real.metadata().expect("readable").permissions().mode();
        assert_eq!(mode, usual.permissions().mode());

        let mut file = AtomicFile::create("/dev/null").expect("writable");
        file.write_all(b"gone").expect("writable");
        file.commit().expect("writable");
        assert!(
            Path::new("/dev/null")
                .metadata()
                .expect("readable")
                .file_type()
                .is_char_device()
        );
    }
}
