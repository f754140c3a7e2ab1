//! The media files below a folder, in order.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::error::InputError;
use super::media_kind::MediaKind;

/// All files of the given kinds below `folder`, at any depth, in the order of their paths' parts. Hidden files and
/// folders are passed over; links are followed, and a link that leads back up is an error.
pub(super) fn media_files(
    folder: &Path,
    kinds: &[MediaKind],
) -> impl Iterator<Item = Result<(PathBuf, MediaKind), InputError>> + use<> {
    let (root, kinds) = (folder.to_owned(), kinds.to_vec());
    WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry))
        .filter_map(move |entry| match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let kind = MediaKind::from_path(entry.path()).filter(|kind| kinds.contains(kind))?;
                Some(Ok((entry.into_path(), kind)))
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
                let path = error.path().unwrap_or(&root).to_owned();
                Some(Err(InputError::Io {
                    path,
                    source: error.into(),
                }))
            }
        })
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
