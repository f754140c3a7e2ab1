//! The names that inputs keep below an output folder.

use std::path::{Component, Path, PathBuf};

/// `path` below `base`. A path elsewhere keeps its folders' names, without what would lead out of an output folder
/// (a root, a drive, `..`).
pub fn relative_to(path: &Path, base: &Path) -> PathBuf {
    let without_dot = |path: &Path| {
        path.strip_prefix(".")
            .map(Path::to_owned)
            .unwrap_or(path.to_owned())
    };
    let path = without_dot(path);
    let below = path.strip_prefix(without_dot(base)).unwrap_or(&path);
    below
        .components()
        .filter(|component| matches!(component, Component::Normal(_)))
        .collect()
}

/// The folder that holds all of `files`, as deep as possible.
pub(super) fn common_folder<'a>(files: impl IntoIterator<Item = &'a Path>) -> PathBuf {
    let mut folders = files
        .into_iter()
        .map(|file| file.parent().unwrap_or(Path::new("")));
    let Some(first) = folders.next() else {
        return PathBuf::new();
    };
    folders.fold(first.to_owned(), |common, folder| {
        common
            .components()
            .zip(folder.components())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_output_folder() {
        let relative = |path: &str, base: &str| relative_to(Path::new(path), Path::new(base));
        assert_eq!(relative("photos/a/1.jpg", "photos"), Path::new("a/1.jpg"));
        assert_eq!(relative("/data/x/1.jpg", "photos"), Path::new("data/x/1.jpg"));
        assert_eq!(relative("../b/1.jpg", "photos"), Path::new("b/1.jpg"));
        assert_eq!(relative("./1.jpg", ""), Path::new("1.jpg"));
        assert_eq!(relative("photos/1.jpg", "./photos"), Path::new("1.jpg"));
    }

    #[test]
    fn the_common_folder_is_the_deepest_one() {
        let common = |files: &[&str]| common_folder(files.iter().map(Path::new));
        assert_eq!(common(&["photos/1.jpg"]), Path::new("photos"));
        assert_eq!(
            common(&["p/a/1.jpg", "p/a/b/1.jpg", "p/ab/1.jpg"]),
            Path::new("p")
        );
        assert_eq!(common(&["a/1.jpg", "b/1.jpg"]), Path::new(""));
        assert_eq!(common(&[]), Path::new(""));
    }
}
