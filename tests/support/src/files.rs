//! The files of this repository, and copies of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The repository that the tests belong to.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// One of the sample plugins in `tests/plugins`.
pub fn sample(name: &str) -> PathBuf {
    project().join("tests/plugins").join(name)
}

/// One of the first-party sources.
pub fn plugin(name: &str) -> PathBuf {
    project().join("plugins").join(name)
}

/// Copies a folder with everything in it, but for what was built there.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name() == "target" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
