//! Which format something is of.

use super::{label_studio, xml, yolo};
use crate::{format::Format, input::open_text};
use std::{io::Read as _, path::Path};

/// How much of a file is looked at.
const HEAD: u64 = 4096;

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
    } else if xml::is_voc_at(folder) {
        Some(Format::Voc)
    } else {
        None
    }
}

/// The beginning of a text file; nothing where it cannot be read.
fn start_of(path: &Path) -> String {
    let mut start = Vec::new();
    if let (true, Ok(text)) = (path.is_file(), open_text(path)) {
        // What cannot be read is told by whoever reads all of it.
        let _ = text.take(HEAD).read_to_end(&mut start);
    }
    String::from_utf8_lossy(&start).into_owned()
}
