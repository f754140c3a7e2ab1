//! The files that imported samples name: whether they are there, and where.

use super::{ImportReport, Place};
use crate::record::SampleRecord;
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

/// Looks at the files of samples as they come.
#[derive(Debug)]
pub(super) struct Files {
    /// Where they are expected.
    folders: Vec<PathBuf>,
    /// Of paths, their hashes: a million paths would be too much to keep.
    seen: HashSet<u64>,
    count: u64,
    missing: Missing,
    outside: Found,
}

/// Things that are counted, and the first of them.
#[derive(Debug, Default)]
struct Found {
    count: u64,
    first: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Missing {
    all: Found,
    with_backslashes: u64,
}

impl Found {
    fn add(&mut self, path: &Path) {
        self.count += 1;
        self.first.get_or_insert_with(|| path.to_owned());
    }
}

impl Files {
    /// Files are expected in these folders and below them.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let absolute = |folder: PathBuf| std::path::absolute(&folder).unwrap_or(folder);
        Self {
            folders: folders
                .into_iter()
                .map(absolute)
                .map(|folder| tidy(&folder))
                .collect(),
            seen: HashSet::new(),
            count: 0,
            missing: Missing::default(),
            outside: Found::default(),
        }
    }

    /// Looks at the file of a sample.
    pub fn note(&mut self, record: &SampleRecord, place: &Place<'_>, report: &mut ImportReport) {
        self.count += 1;
        let mut hasher = DefaultHasher::new();
        record.filepath.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            report.note(
                "samples have a file that another one has: of labels in one field the last remain",
                place.error(&record.filepath),
            );
        }
        let path = record.path();
        let is_inside = |folder: &PathBuf| tidy(&path).starts_with(folder);
        if !self.folders.is_empty() && !self.folders.iter().any(is_inside) {
            self.outside.add(&path);
        }
        if !path.exists() {
            self.missing.all.add(&path);
            self.missing.with_backslashes += u64::from(record.filepath.contains('\\'));
        }
    }

    /// Tells what was found. `--images` helps where relative names were meant to be elsewhere.
    pub fn finish(self, report: &mut ImportReport) {
        if let Some(first) = &self.outside.first {
            let folders: Vec<_> = self
                .folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            report.say(format!(
                "{} of {} files are outside of {}, such as {}: who gives away a copy of the dataset gives them away, too",
                self.outside.count,
                self.count,
                folders.join(" and "),
                first.display()
            ));
        }
        if let Some(first) = &self.missing.all.first {
            let reason = if self.missing.with_backslashes > 0 {
                "the names have backslashes, as Windows has them, and no such files are here"
            } else {
                "if they are in another folder, `dataset import --images FOLDER` finds them there"
            };
            report.say(format!(
                "{} of {} files are not there, such as {}: {reason}",
                self.missing.all.count,
                self.count,
                first.display()
            ));
        }
    }
}

/// The path without `.` and `..`, going by the names alone.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                tidied.pop();
            }
            Component::CurDir => {}
            other => tidied.push(other),
        }
    }
    tidied
}
