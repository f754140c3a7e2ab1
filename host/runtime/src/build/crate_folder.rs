//! The crates that came with a source, where cargo finds them.

use super::scratch::link;
use fs_err as fs;
use std::{
    io,
    path::{Path, PathBuf},
};

/// A folder with the crates that a build may use in place of crates.io. It always lies in the same place, which cargo
/// remembers with what it compiled.
#[derive(Debug)]
pub(super) struct CrateFolder(PathBuf);

impl CrateFolder {
    /// Makes it in the folder of all builds, in the place of that of the last build.
    pub(super) fn make(builds: &Path, crates: &[PathBuf]) -> io::Result<Self> {
        let folder = builds.join("crates");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        for one in crates {
            link(one, &folder.join(one.file_name().unwrap_or_default()))?;
        }
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}
