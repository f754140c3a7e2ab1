//! Writing archives that depend on what is in them alone.
use crate::tree::{EntryKind, link_target};
use fs_err as fs;
use std::{
    io::{self, Write},
    path::Path,
};

/// The modification time of every entry, 1980-01-01: the oldest that every archive format and program accepts.
const MODIFIED: u64 = 315_532_800;

/// The header of a file of this size, without its name.
pub(crate) fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(MODIFIED);
    header.set_mode(0o644);
    header.set_size(size);
    header
}

/// Adds the file or link at `place` under the name `path`.
pub(crate) fn append(
    tar: &mut tar::Builder<impl Write>,
    path: &str,
    kind: EntryKind,
    place: &Path,
) -> io::Result<()> {
    if kind == EntryKind::Link {
        let mut header = header(0);
        header.set_entry_type(tar::EntryType::Symlink);
        return tar.append_link(&mut header, path, link_target(place)?);
    }
    let file = fs::File::open(place)?;
    let mut header = header(file.metadata()?.len());
    if kind == EntryKind::Executable {
        header.set_mode(0o755);
    }
    tar.append_data(&mut header, path, file)
}
