//! A built plugin, named by its content.

use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// A built plugin: where it lies, and what it must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The library, an absolute path.
    pub path: PathBuf,
    /// The SHA-256 of its content, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl Artifact {
    /// Describes the library at `path` as it is now: for libraries that were not built by this host.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let sha256 = sha256_of_file(&path)?;
        Ok(Self { path, sha256 })
    }
}

/// The SHA-256 of a file's content, 64 lower-case hexadecimal digits.
pub(crate) fn sha256_of_file(path: &Path) -> io::Result<String> {
    const READ_BYTES: usize = 1 << 18;
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hexadecimal(&hasher.finalize())),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
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
        assert_eq!(
            artifact.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(artifact.path.is_absolute());
        assert!(Artifact::of_file(&folder.path().join("none")).is_err());
    }
}
