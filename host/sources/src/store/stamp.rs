//! Stamps: whether a tree changed since it was hashed, without reading its content.
use crate::tree;
use modelzoo_base::{Sha256Digest, digest::Sha256Hasher};
use std::{
    io,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A file that was changed this recently may change again without a later time.
const CLOCK_GRAIN: Duration = Duration::from_secs(2);

/// A digest over the path, size, times and number of each file in `root`. Whoever changes a file, but for its content
/// being restored, changes it: the time of a file's last change of status cannot be set by programs.
/// `None` when a file is too new to tell.
pub(crate) fn stamp(root: &Path) -> io::Result<Option<Sha256Digest>> {
    let mut files = Vec::new();
    tree::visit(root, "", &|_| false, &mut |path, _, place| {
        files.push((path, place.to_owned()));
        Ok(())
    })?;
    stamp_of(files.iter().map(|(path, place)| (path.as_str(), place.as_path())))
}

/// The same of these files only, by their paths in the tree and their places.
pub(crate) fn stamp_of<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a Path)>,
) -> io::Result<Option<Sha256Digest>> {
    let newest_allowed = SystemTime::now().checked_sub(CLOCK_GRAIN).unwrap_or(UNIX_EPOCH);
    let mut is_settled = true;
    let mut lines = Vec::new();
    for (path, place) in files {
        let metadata = fs_err::symlink_metadata(place)?;
        is_settled &= metadata.modified()? < newest_allowed;
        lines.push(format!("{path}\0{}\0{}\n", metadata.len(), status(&metadata)));
    }
    lines.sort_unstable();
    let mut hasher = Sha256Hasher::default();
    lines.iter().for_each(|line| hasher.update(line));
    Ok(is_settled.then(|| hasher.finish()))
}

/// The same for one file; links are followed.
pub(crate) fn stamp_file(path: &Path) -> io::Result<Option<Sha256Digest>> {
    let newest_allowed = SystemTime::now().checked_sub(CLOCK_GRAIN).unwrap_or(UNIX_EPOCH);
    let metadata = fs_err::metadata(path)?;
    let is_settled = metadata.modified()? < newest_allowed;
    let line = format!("{}\0{}", metadata.len(), status(&metadata));
    Ok(is_settled.then(|| Sha256Digest::of(line)))
}

#[cfg(unix)]
fn status(metadata: &std::fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let m = metadata;
    format!(
        "{}.{} {}.{} {} {:o}",
        m.mtime(),
        m.mtime_nsec(),
        m.ctime(),
        m.ctime_nsec(),
        m.ino(),
        m.mode()
    )
}

#[cfg(not(unix))]
fn status(metadata: &std::fs::Metadata) -> String {
    format!("{:?}", metadata.modified().ok())
}
