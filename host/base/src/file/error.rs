use crate::error::{Diagnose, ErrorClass, NextStep};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written", path.display())]
pub struct OutputError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl OutputError {
    /// An error about `path`.
    pub fn new(path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self {
            path: path.into(),
            source: without_path(source.into()),
        }
    }

    /// An error about standard output.
    pub fn of_stdout(source: io::Error) -> Self {
        Self::new(Path::new("standard output"), source)
    }
}

impl Diagnose for OutputError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        None
    }
}

/// What the system said, without the path that `fs_err` adds: for errors that name the path themselves.
pub fn without_path(error: io::Error) -> io::Error {
    let system = error
        .get_ref()
        .and_then(|with_path| with_path.source())
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    system.map_or(error, io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::in_one_line;

    #[test]
    fn a_path_is_named_once() {
        let path = Path::new("/nowhere/at/all");
        let source = fs_err::read(path).expect_err("there is no such file");
        let told = in_one_line(&OutputError::new(path, source));
        assert_eq!(told.matches("/nowhere").count(), 1, "{told}");
        assert!(told.contains("os error"), "{told}");
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        let error = without_path(io::Error::other("it is on fire"));
        assert_eq!(error.to_string(), "it is on fire");
    }
}
