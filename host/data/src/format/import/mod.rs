//! Reading samples from the formats of other programs.

mod coco;
mod dataset;
mod fiftyone;
mod json_array;
mod json_lines;

use std::path::{Path, PathBuf};

use modelzoo_plugin_api::MediaType;

pub use coco::{CocoInfo, CocoOptions, import_coco};
pub use dataset::{ImportOptions, detect, import_dataset, import_dataset_with_progress};
pub use fiftyone::{FiftyOneInfo, import_fiftyone};
pub use json_lines::import_json_lines;

use super::FormatError;
use crate::input::{Inputs, MediaKind};
use crate::record::SampleRecord;

/// Takes samples as they are read. Its error ends the import.
pub type Sink<'a> = &'a mut dyn FnMut(SampleRecord) -> Result<(), FormatError>;

/// Gives a sample without labels for each picture and video among the inputs (folders, globs, files, list files), under
/// its absolute path. Returns how many there are.
///
/// # Errors
/// When an input leads to no file, or a folder cannot be read.
pub fn import_media(inputs: &[impl AsRef<Path>], sink: Sink<'_>) -> Result<u64, FormatError> {
    let inputs = Inputs::resolve(inputs, &MediaKind::ALL)?;
    let mut count = 0;
    for file in inputs.iter() {
        let file = file?;
        let path = std::path::absolute(&file.path).map_err(|source| FormatError::read(&file.path, source))?;
        sink(SampleRecord {
            filepath: text(&path)?,
            media_type: match file.kind {
                MediaKind::Image => MediaType::Image,
                MediaKind::Video => MediaType::Video,
            },
            ..SampleRecord::default()
        })?;
        count += 1;
    }
    Ok(count)
}

/// A path as text, which all formats have it in.
fn text(path: &Path) -> Result<String, FormatError> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let problem = "the name is not valid Unicode; rename the file";
        FormatError::content(path, "", problem)
    })
}

/// `path` as a file in `folder` has it: relative paths are relative to the folder.
fn beside(folder: &Path, path: &str) -> Result<String, FormatError> {
    let path = folder.join(path);
    let path = std::path::absolute(&path).map_err(|source| FormatError::read(&path, source))?;
    text(&path)
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
