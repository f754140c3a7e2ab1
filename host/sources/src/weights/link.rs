//! One content under several names.
use std::{io, path::Path};

/// Makes `to` another name of the file `from`, replacing what is there; a copy where the file system has no links, or
/// `to` is on another one. Whoever looks sees the old file or the new one.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Only the rename makes it visible: a link cannot replace a file.
    let new = tempfile::Builder::new().prefix(".link-").make_in(folder, |new| {
        std::fs::hard_link(from, new).or_else(|error| match error.kind() {
            // Another temporary name is tried.
            io::ErrorKind::AlreadyExists => Err(error),
            _ => std::fs::copy(from, new).map(drop),
        })
    })?;
    // When both are names of one file, the rename does nothing, and dropping `new` removes the superfluous one.
    std::fs::rename(new.path(), to)
}

/// Makes sure that no program changes the content by mistake, under any of its names.
#[cfg(unix)]
pub(super) fn make_read_only(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & !0o222))
}

/// Elsewhere, files that are read-only cannot be deleted either, so they are left as they are.
#[cfg(not(unix))]
pub(super) fn make_read_only(_: &Path) -> io::Result<()> {
    Ok(())
}
