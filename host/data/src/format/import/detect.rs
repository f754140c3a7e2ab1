//! Which format something is of.

use super::{coco, cvat, label_studio, start::start_of, voc, yolo};
use crate::format::Format;
use std::path::Path;

/// Which format a file or folder is of, going by its name and by what is in it. `None` for pictures, videos, folders and
/// globs of them, lists, and files that say nothing.
pub fn detect(path: &Path) -> Option<Format> {
    if path.is_dir() {
        return detect_folder(path);
    }
    match path.extension()?.to_ascii_lowercase().to_str()? {
        "json" if label_studio::is_start(&start_of(path)) => Some(Format::LabelStudio),
        "json" => Some(Format::Coco),
        "xml" if start_of(path).contains("<annotations") => Some(Format::Cvat),
        _ => Format::from_path(path),
    }
}

fn detect_folder(folder: &Path) -> Option<Format> {
    let is_fiftyone = folder.join("samples.json").is_file()
        || (folder.join("samples").is_dir() && folder.join("metadata.json").is_file());
    if is_fiftyone {
        Some(Format::FiftyOne)
    } else if yolo::is_at(folder) {
        Some(Format::Yolo)
    } else if voc::is_at(folder) {
        Some(Format::Voc)
    } else if cvat::file_at(folder).is_some() {
        Some(Format::Cvat)
    } else if !coco::files_at(folder).is_empty() {
        Some(Format::Coco)
    } else {
        None
    }
}
