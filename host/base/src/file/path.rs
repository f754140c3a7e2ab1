use std::path::{Path, PathBuf};

/// Where a path leads, whatever the current folder is later. Links are not followed.
///
/// An empty path, or one where the current folder is gone, stays as it is and fails on use.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The folder that a file lies in; `.` for a bare name.
pub fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("a")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/b")), Path::new("a"));
        assert!(absolute(Path::new("a")).is_absolute());
        assert_eq!(absolute(Path::new("")), Path::new(""));
    }
}
