//! The outermost structure of AVI files, by which it is known whether all of a file is there.
//!
//! How many frames an AVI file has its header does not say: the frames that it counts may be empty (dropped, or packed
//! into others).

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// Whether a file is shorter than its parts say: chunks called `RIFF`, one behind the other, each with its length.
pub(super) fn is_cut(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = 0;
    while start < length {
        let mut head = [0; 8];
        file.seek(SeekFrom::Start(start))?;
        if file.read_exact(&mut head).is_err() || !head.starts_with(b"RIFF") {
            // What stands behind the last part is none of the video's.
            return Ok(false);
        }
        let [_, _, _, _, size @ ..] = head;
        match u32::from_le_bytes(size) {
            // Who writes into a pipe does not know the length.
            0 | u32::MAX => return Ok(false),
            size => start += 8 + u64::from(size).next_multiple_of(2),
        }
    }
    // The byte that fills up the last chunk may be missing.
    Ok(start > length + 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn parts_are_followed_to_the_end() {
        let part =
            |size: u32, content: usize| [&b"RIFF"[..], &size.to_le_bytes(), &vec![0; content]].concat();
        let is_cut = |bytes: &[u8]| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            super::is_cut(file.path()).unwrap()
        };
        assert!(!is_cut(&part(20, 20)));
        assert!(!is_cut(&part(21, 21)));
        assert!(is_cut(&part(20, 12)));
        assert!(!is_cut(&[part(20, 20), part(8, 8)].concat()));
        assert!(is_cut(&[part(20, 20), part(8, 3)].concat()));
        assert!(!is_cut(&[part(20, 20), b"more".to_vec()].concat()));
        assert!(!is_cut(&part(0, 20)) && !is_cut(&part(u32::MAX, 20)) && !is_cut(b""));
    }
}
