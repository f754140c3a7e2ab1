//! How text files begin, which tells what they hold.

use crate::input::open_text;
use std::{io::Read as _, path::Path};

/// How much of a file is looked at.
const HEAD: u64 = 4096;

/// The beginning of a text file; nothing where it cannot be read.
pub(super) fn start_of(path: &Path) -> String {
    let mut start = Vec::new();
    if let (true, Ok(text)) = (path.is_file(), open_text(path)) {
        // What cannot be read is told by whoever reads all of it.
        let _ = text.take(HEAD).read_to_end(&mut start);
    }
    String::from_utf8_lossy(&start).into_owned()
}
