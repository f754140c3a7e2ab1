//! Text files that people's editors and spreadsheets have written.

use encoding_rs_io::DecodeReaderBytesBuilder;
use std::{
    io::{self, BufRead, BufReader},
    path::Path,
};

const CHUNK: usize = 1 << 16;

/// Opens a text file as UTF-8: a byte order mark is passed over, and UTF-16 that begins with one is translated. What
/// begins with none comes as it stands.
pub(crate) fn open_text(path: &Path) -> io::Result<impl BufRead + Send> {
    let text = DecodeReaderBytesBuilder::new()
        .utf8_passthru(true)
        .strip_bom(true)
        .bom_override(true)
        .build(modelzoo_storage::open(path)?);
    Ok(BufReader::with_capacity(CHUNK, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn marks_are_passed_over_and_utf_16_is_translated() {
        let utf_16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain("käse\n".encode_utf16());
            units.flat_map(order).collect()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        for (bytes, expected) in [
            (b"plain \xff".to_vec(), &b"plain \xff"[..]),
            (b"\xef\xbb\xbfmarked".to_vec(), b"marked"),
            (utf_16(u16::to_le_bytes), "käse\n".as_bytes()),
            (utf_16(u16::to_be_bytes), "käse\n".as_bytes()),
            (Vec::new(), b""),
        ] {
            std::fs::write(file.path(), &bytes).unwrap();
            let mut read = Vec::new();
            open_text(file.path()).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, expected);
        }
    }
}
