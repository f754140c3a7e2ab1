//! Where in a file something stands, and where the files are that it names.

use super::FormatError;
use crate::record::{path_to_text, text_to_path};
use std::path::{Path, PathBuf};

/// Where in a file something stands.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    file: &'a Path,
    /// Beginning with a colon; empty for the whole file.
    at: String,
}

impl<'a> Place<'a> {
    /// A place in `file`; `at` begins with a colon, or is empty for the whole file.
    pub(super) fn new(file: &'a Path, at: impl Into<String>) -> Self {
        Self { file, at: at.into() }
    }

    /// What is wrong there.
    pub(super) fn error(&self, problem: impl ToString) -> FormatError {
        FormatError::content(self.file, self.at.clone(), problem)
    }
}

/// `named` as a file in `folder` has it: relative paths are relative to the folder. Paths of Windows are followed where
/// that leads to a file.
pub(super) fn beside(folder: &Path, named: &str) -> Result<String, FormatError> {
    let mut path = folder.join(text_to_path(named));
    if named.contains('\\') && !path.exists() {
        let turned = folder.join(named.replace('\\', "/"));
        if turned.exists() {
            path = turned;
        }
    }
    let path = std::path::absolute(&path).map_err(|source| FormatError::read(&path, source))?;
    Ok(path_to_text(&path))
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
