//! The paths of samples as text, which all formats have them in.
//!
//! A path that is text stands as it is. File systems have names that are none; such a path stands as a `file:` URL
//! (RFC 8089), whose percent signs keep every byte, so that it leads back to its file. URLs of this kind are read wherever
//! they come from.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use std::path::{Path, PathBuf};

const SCHEME: &str = "file://";

/// What stands for itself in the path of a URL, beside letters and digits, is taken out of what is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path as text.
pub fn path_to_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.starts_with(SCHEME) => text.to_owned(),
        _ => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let bytes = absolute.as_os_str().as_encoded_bytes();
            format!("{SCHEME}{}", percent_encode(bytes, ENCODED))
        }
    }
}

/// The path that a text stands for.
pub fn text_to_path(text: &str) -> PathBuf {
    let Some(rest) = text.strip_prefix(SCHEME) else {
        return PathBuf::from(text);
    };
    // `file://localhost/a` is `/a` too.
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    from_bytes(percent_decode_str(path).collect())
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // `/C:/a` is the drive's.
    match text.strip_prefix('/') {
        Some(rest) if rest.contains(':') => PathBuf::from(rest),
        _ => PathBuf::from(text),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    #[test]
    fn text_stands_as_it_is() {
        for text in ["a/b c.jpg", "/\u{e9}%20.png", "file:x", r"C:\a"] {
            assert_eq!(path_to_text(Path::new(text)), text);
            assert_eq!(text_to_path(text), Path::new(text));
        }
        assert_eq!(text_to_path("file:///a%20b/c.jpg"), Path::new("/a b/c.jpg"));
        assert_eq!(text_to_path("file://localhost/a"), Path::new("/a"));
    }

    proptest! {
        #[test]
        fn every_path_leads_back_to_its_file(name in proptest::collection::vec(1u8.., 1..20)) {
            let path = Path::new("/folder").join(Path::new(OsStr::from_bytes(&name)));
            prop_assert_eq!(text_to_path(&path_to_text(&path)), path);
        }
    }
}
