//! The folder of a built plugin: what the builder puts there, and the store checks and counts.

use std::{
    env::consts::DLL_EXTENSION,
    path::{Path, PathBuf},
};

/// The library of the built plugin in `folder`.
pub fn library(folder: &Path) -> PathBuf {
    folder.join("plugin").with_extension(DLL_EXTENSION)
}

/// What is told of the built plugin in `folder`, as JSON: its `sha256`, where it comes from, how it was built.
pub fn record(folder: &Path) -> PathBuf {
    folder.join("artifact.json")
}
