//! Pictures and videos in a column of a Parquet file: as they are (bytes), or by their paths or URLs.

mod columns;
mod description;
mod source;

use super::{
    error::InputError,
    file::{Content, InputFile, kind_by_name},
    media_kind::MediaKind,
    relative::relative_to,
};
use crate::panics::contained;
use columns::{Columns, Held, Row};
use modelzoo_base::file::folder_of;
use modelzoo_storage::is_url;
use parquet::{
    file::reader::FileReader as _, file::serialized_reader::SerializedFileReader, record::reader::RowIter,
};
use source::Source;
use std::{
    io,
    path::{Path, PathBuf},
};

/// So many rows are decoded at once: each may hold a picture of some megabytes.
const BATCH: usize = 4;

/// What is in the column `wanted`, or in the one that is clearly meant, a file for each row; bytes are left out where
/// `with_content` does not want them.
///
/// # Errors
/// It cannot be read, or has no such column.
pub(super) fn files(
    path: &Path,
    base: &Path,
    kinds: &[MediaKind],
    wanted: Option<&str>,
    with_content: bool,
) -> Result<impl Iterator<Item = Result<InputFile, InputError>> + Send + use<>, InputError> {
    let failure = |source: io::Error| InputError::Io {
        path: path.to_owned(),
        source,
    };
    let source = Source::open(path).map_err(failure)?;
    let reader = guarded(|| SerializedFileReader::new(source)).map_err(failure)?;
    let schema = reader.metadata().file_metadata().schema();
    let columns = Columns::choose(schema, wanted).map_err(|problem| InputError::Column {
        path: path.to_owned(),
        problem,
    })?;
    let projection = columns.projection(schema, with_content);
    let rows = guarded(|| RowIter::from_file_into(Box::new(reader)).project(Some(projection)))
        .map_err(failure)?
        .with_batch_size(BATCH);
    Ok(Files {
        path: path.to_owned(),
        relative: relative_to(path, base),
        kinds: kinds.to_vec(),
        columns,
        rows: Some(rows),
        row: 0,
    })
}

struct Files {
    path: PathBuf,
    relative: PathBuf,
    kinds: Vec<MediaKind>,
    columns: Columns,
    /// None after an error of the file itself.
    rows: Option<RowIter<'static>>,
    /// How many were read.
    row: u64,
}

impl Iterator for Files {
    type Item = Result<InputFile, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rows = self.rows.as_mut()?;
            let row = match guarded(|| rows.next().transpose()) {
                Ok(Some(row)) => self.columns.read(&row),
                Ok(None) => return None,
                Err(source) => {
                    self.rows = None;
                    let path = self.path.clone();
                    return Some(Err(InputError::Io { path, source }));
                }
            };
            self.row += 1;
            let file = self.file(row);
            if file.as_ref().is_ok_and(|file| !self.kinds.contains(&file.kind)) {
                continue;
            }
            return Some(file);
        }
    }
}

impl Files {
    fn file(&self, row: Row) -> Result<InputFile, InputError> {
        let bytes = match row.held {
            Held::Place(place) => return Ok(self.placed(&place)),
            Held::Bytes(bytes) => Content::Bytes(bytes.into()),
            Held::Unread => Content::AtPath,
            Held::Nothing => {
                return Err(InputError::Row {
                    path: self.path.clone(),
                    row: self.row,
                });
            }
        };
        let number = || PathBuf::from(format!("{:08}", self.row));
        let name = row
            .name
            .map(|name| relative_to(Path::new(&name), Path::new("")))
            .filter(|name| !name.as_os_str().is_empty())
            .unwrap_or_else(number);
        let by_content = match &bytes {
            Content::Bytes(bytes) => MediaKind::of_bytes(bytes),
            Content::AtPath => None,
        };
        Ok(InputFile {
            kind: MediaKind::from_path(&name)
                .or(by_content)
                .unwrap_or(MediaKind::Image),
            path: self.path.join(&name),
            relative_path: self.relative.join(&name),
            content: bytes,
        })
    }

    /// A file by its path or URL; a path begins in the current folder, as this program writes them, or else where the
    /// table is.
    fn placed(&self, place: &str) -> InputFile {
        let named = PathBuf::from(place);
        let path = match is_url(&named) || named.exists() {
            true => named,
            false => folder_of(&self.path).join(named),
        };
        InputFile {
            relative_path: relative_to(&path, folder_of(&self.path)),
            kind: kind_by_name(&path).unwrap_or(MediaKind::Image),
            path,
            content: Content::AtPath,
        }
    }
}

/// What a stranger's file makes the library say, or panic about.
fn guarded<T>(work: impl FnOnce() -> parquet::errors::Result<T>) -> io::Result<T> {
    match contained(work) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(parquet::errors::ParquetError::External(source))) => Err(source
            .downcast::<io::Error>()
            .map_or_else(io::Error::other, |source| *source)),
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(fault) => Err(io::Error::other(format!(
            "reading it met a fault of the program ({fault}): please report it with the file"
        ))),
    }
}

#[cfg(test)]
mod tests;
