use super::Temporary;
use std::{io, path::Path};
use tempfile::{Builder, NamedTempFile, TempDir};

/// The beginning of all temporary names, by which people know whose they are.
const PREFIX: &str = ".modelzoo-";

/// A file with a temporary name in `folder`, which is made where it is missing, and what knows of it. The name ends in
/// `suffix`.
///
/// # Errors
/// The folder or the file cannot be made.
pub fn temporary_file(folder: &Path, suffix: &str) -> io::Result<(Temporary, NamedTempFile)> {
    fs_err::create_dir_all(folder)?;
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(suffix);
    // The default is readable by the owner alone; the result should be as any file the user makes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    Temporary::make(|| builder.tempfile_in(folder))
}

/// A folder with a temporary name in `folder`, which is made where it is missing, and what knows of it.
///
/// # Errors
/// One of them cannot be made.
pub fn temporary_folder(folder: &Path) -> io::Result<(Temporary, TempDir)> {
    fs_err::create_dir_all(folder)?;
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(".tmp");
    // As for files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    Temporary::make(|| builder.tempdir_in(folder))
}
