//! The media files below a folder, in order.

use super::{
    error::InputError,
    media_kind::MediaKind,
    passed_over::{self, Counts, PassedOver},
};
use modelzoo_base::file::about;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// All files of the given kinds below `folder`, at any depth, in the order of their paths' parts. Hidden files and
/// folders are passed over; links are followed, and a link that leads back up is an error. What else is passed over is
/// noted at the end.
pub(super) fn media_files(
    folder: &Path,
    kinds: &[MediaKind],
    passed_over: &PassedOver,
) -> impl Iterator<Item = Result<(PathBuf, MediaKind), InputError>> + use<> {
    let (root, kinds) = (folder.to_owned(), kinds.to_vec());
    let mut entries = WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry));
    let (passed_over, mut counts) = (passed_over.clone(), Counts::new());
    std::iter::from_fn(move || {
        loop {
            let Some(entry) = entries.next() else {
                passed_over.note(&root, std::mem::take(&mut counts));
                return None;
            };
            if let Some(file) = media_file(entry, &root, &kinds, &mut counts) {
                return Some(file);
            }
        }
    })
}

/// What an entry of a folder is, if it is anything.
fn media_file(
    entry: walkdir::Result<DirEntry>,
    root: &Path,
    kinds: &[MediaKind],
    counts: &mut Counts,
) -> Option<Result<(PathBuf, MediaKind), InputError>> {
    match entry {
        Ok(entry) if entry.file_type().is_file() => {
            let Some(kind) = MediaKind::from_path(entry.path()) else {
                passed_over::count(counts, entry.path());
                return None;
            };
            kinds.contains(&kind).then(|| Ok((entry.into_path(), kind)))
        }
        Ok(_) => None,
        // A dangling link is a file that is not there; with a media name it fails on its own when it is opened.
        Err(error)
            if error
                .io_error()
                .is_some_and(|io| io.kind() == std::io::ErrorKind::NotFound) =>
        {
            let path = error.path()?.to_owned();
            let kind = MediaKind::from_path(&path).filter(|kind| kinds.contains(kind))?;
            Some(Ok((path, kind)))
        }
        Err(error) => {
            let path = error.path().unwrap_or(root).to_owned();
            Some(Err(InputError::Io {
                source: about(&path, error.into()),
                path,
            }))
        }
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
