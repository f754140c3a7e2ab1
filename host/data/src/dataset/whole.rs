//! New datasets that appear filled or not at all.

use super::{
    Dataset,
    error::{DatasetError, Reason},
};
use modelzoo_base::file::{about, folder_of, temporary_folder};
use std::{io, path::Path};

impl Dataset {
    /// Makes a dataset in a new file, which appears once `fill` is done with it, and not at all if that fails. Missing
    /// folders above it are made.
    pub fn create_filled<T, E: From<DatasetError>>(
        path: impl AsRef<Path>,
        fill: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let path = path.as_ref();
        let failure = |error: io::Error| Reason::Create(about(path, error)).at(path);
        if path.exists() {
            return Err(Reason::Exists.at(path).into());
        }
        let name = path
            .file_name()
            .ok_or_else(|| failure(io::ErrorKind::InvalidFilename.into()))?;
        let (_registered, temporary) = temporary_folder(folder_of(path)).map_err(failure)?;
        let place = temporary.path().join(name);
        let mut dataset = Self::create(&place)?;
        let filled = fill(&mut dataset)?;
        // The last connection that is closed moves the log into the file, which is whole by itself then.
        drop(dataset);
        std::fs::rename(&place, path).map_err(failure)?;
        Ok(filled)
    }
}
