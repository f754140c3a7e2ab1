//! COCO datasets in folders.

use super::super::{FormatError, start::start_of};
use std::path::{Path, PathBuf};

/// Of so many JSON files in a folder the beginnings are looked at: where there are more, they are something else.
const MOST_FILES: usize = 32;

/// The COCO datasets in a folder and in its `annotations`, by name.
pub(in crate::format::import) fn files_at(folder: &Path) -> Vec<PathBuf> {
    let json_files = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let is_json = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
        let mut files: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(is_json)
            .take(MOST_FILES + 1)
            .collect();
        files.sort();
        files
    };
    let files = [
        json_files(folder.to_owned()),
        json_files(folder.join("annotations")),
    ]
    .concat();
    match files.len() {
        1..=MOST_FILES => files
            .into_iter()
            .filter(|file| is_start(&start_of(file)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether an object of JSON is a dataset, going by its beginning.
fn is_start(start: &str) -> bool {
    const PARTS: [&str; 5] = [
        "\"images\"",
        "\"annotations\"",
        "\"categories\"",
        "\"licenses\"",
        "\"info\"",
    ];
    start.trim_start().starts_with('{') && PARTS.iter().filter(|part| start.contains(*part)).count() >= 2
}

/// The dataset in a folder.
pub(super) fn only_file_at(folder: &Path) -> Result<PathBuf, FormatError> {
    let mut files = files_at(folder);
    let problem = match files.as_slice() {
        [_] => return Ok(files.swap_remove(0)),
        [] => "there is no COCO dataset in it".to_owned(),
        several => {
            let names: Vec<_> = several.iter().map(|file| file.display().to_string()).collect();
            format!(
                "there are {} COCO datasets in it ({}): name one of them, and the folder of its pictures",
                names.len(),
                names.join(", ")
            )
        }
    };
    Err(FormatError::content(folder, "", problem))
}
