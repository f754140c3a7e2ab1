//! Pointers of Git LFS: what stands in a repository for a file that is kept elsewhere.
//!
//! The format: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>. Hugging Face's newer storage (Xet) leaves
//! pointers of the same form.
use modelzoo_base::Sha256Digest;
use std::{
    io::{self, Read as _},
    path::Path,
};

/// What a pointer begins with.
const BEGINNING: &str = "version https://git-lfs.github.com/spec/v1";
/// No pointer is longer.
const LONGEST: usize = 1024;

/// Which content a pointer stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LfsPointer {
    /// The digest of the content.
    pub sha256: Sha256Digest,
    /// The size of the content in bytes.
    pub size: u64,
}

impl LfsPointer {
    /// The pointer that a file is; `None` for any other file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut content = Vec::new();
        let file = fs_err::File::open(path)?;
        file.take(LONGEST as u64 + 1).read_to_end(&mut content)?;
        Ok(Self::parse(&content))
    }

    /// The pointer that a content is; `None` for any other content.
    pub fn parse(content: &[u8]) -> Option<Self> {
        if !is_pointer(content) {
            return None;
        }
        let text = std::str::from_utf8(content).ok()?;
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        Some(Self {
            sha256: value("oid sha256:")?.trim().parse().ok()?,
            size: value("size ")?.trim().parse().ok()?,
        })
    }
}

/// Whether a content is a pointer, be it a broken one.
pub(super) fn is_pointer(content: &[u8]) -> bool {
    content.len() <= LONGEST && content.starts_with(BEGINNING.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_names_digest_and_size() {
        let digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let text = format!("{BEGINNING}\noid sha256:{digest}\nsize 12345\n");
        let expected = LfsPointer {
            sha256: digest.parse().unwrap(),
            size: 12345,
        };
        assert_eq!(LfsPointer::parse(text.as_bytes()), Some(expected));
        for other in [
            "",
            "{}",
            &text.replace("oid", "old"),
            &text.replace("12345", "-1"),
            &format!("{text}{}", "x".repeat(LONGEST)),
        ] {
            assert_eq!(LfsPointer::parse(other.as_bytes()), None, "{other}");
        }
    }
}
