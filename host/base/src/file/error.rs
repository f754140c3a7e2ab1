use crate::error::{Diagnose, ErrorClass, NextStep};
use std::{
    io,
    path::{MAIN_SEPARATOR, Path, PathBuf},
};

/// How `tempfile` adds the path to what the system said, which it does not give apart.
const TEMPORARY_PATH: &str = " at path \"";

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
        let path = path.into();
        Self {
            source: about(&path, source.into()),
            path,
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
        NextStep::for_access(&self.source)
    }
}

/// What the system said about `path`, for an error that names the path itself: without it, and without the temporary
/// name of what is to become it. An error about another file, such as one in a folder `path`, keeps that file's path.
pub fn about(path: &Path, error: io::Error) -> io::Error {
    let Some(told) = error.get_ref().map(ToString::to_string) else {
        return error;
    };
    if let Some((said, _)) = told.split_once(TEMPORARY_PATH) {
        return io::Error::new(error.kind(), said.to_owned());
    }
    let shown = path.display().to_string();
    let is_named = told
        .match_indices(&shown)
        .any(|(at, _)| !told[at + shown.len()..].starts_with(MAIN_SEPARATOR));
    let system = error
        .get_ref()
        .and_then(|with_path| with_path.source())
        .and_then(|source| source.downcast_ref::<io::Error>());
    match system {
        Some(system) if is_named => match system.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::new(system.kind(), system.to_string()),
        },
        _ => error,
    }
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
    fn a_temporary_name_is_not_told() {
        let folder = Path::new("/proc/none");
        let error = tempfile::Builder::new()
            .tempfile_in(folder)
            .expect_err("there is no such folder");
        let kind = error.kind();
        let error = about(&folder.join("result"), error);
        assert!(!error.to_string().contains("/proc"), "{error}");
        assert_eq!(error.kind(), kind);
    }

    #[test]
    fn the_path_of_another_file_is_kept() {
        let error = fs_err::read("/nowhere/at/all").expect_err("there is no such file");
        assert!(
            about(Path::new("/nowhere"), error)
                .to_string()
                .contains("/nowhere/at/all")
        );
        let error = about(Path::new("/nowhere"), io::Error::other("it is on fire"));
        assert_eq!(error.to_string(), "it is on fire");
    }
}
