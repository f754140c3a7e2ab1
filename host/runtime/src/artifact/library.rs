//! A built plugin, named by its content.

use modelzoo_base::Sha256Digest;
use std::{
    io,
    path::{Path, PathBuf},
};

/// A built plugin: where it lies, and what it must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The library, an absolute path.
    pub path: PathBuf,
    /// The SHA-256 of its content.
    pub sha256: Sha256Digest,
}

impl Artifact {
    /// Describes the library at `path` as it is now: for libraries that were not built by this host.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let sha256 = Sha256Digest::of_file(&path)?;
        Ok(Self { path, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_named_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin.so");
        std::fs::write(&path, "abc").unwrap();
        let artifact = Artifact::of_file(&path).unwrap();
        assert_eq!(artifact.sha256, Sha256Digest::of("abc"));
        assert!(artifact.path.is_absolute());
        assert!(Artifact::of_file(&folder.path().join("none")).is_err());
    }
}
