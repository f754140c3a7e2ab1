//! Exports that are folders.

use super::FormatError;
use modelzoo_base::file::AtomicFolder;
use std::{io, path::Path};

/// Begins a folder for `target`, where there must be nothing or an empty folder: an export replaces nothing.
pub(super) fn new_folder(target: &Path) -> Result<AtomicFolder, FormatError> {
    let is_free = match std::fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        // Where a file is among its parents, there is nothing here, and never will be.
        Err(error) => error.kind() == io::ErrorKind::NotFound || !target.exists(),
    };
    if !is_free {
        return Err(FormatError::Exists {
            path: target.to_owned(),
        });
    }
    Ok(AtomicFolder::create(target)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_begins_where_nothing_is() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("export");
        let folder = new_folder(&target).unwrap();
        std::fs::write(folder.path().join("a"), "1").unwrap();
        folder.commit().unwrap();
        assert!(matches!(new_folder(&target), Err(FormatError::Exists { .. })));
        let below_a_file = target.join("a/export");
        assert!(matches!(new_folder(&below_a_file), Err(FormatError::Output(_))));
    }
}
