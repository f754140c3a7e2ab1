//! Crates that came in bundles: what plugins are built of without network.
use super::{Store, StoreError};
use modelzoo_base::{Sha256Digest, file};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

impl Store {
    /// The folder of all crates.
    pub fn crates_dir(&self) -> PathBuf {
        self.root.join("crates")
    }

    /// Publishes the folder `crate_folder` as the crate whose file has the hash `sha256`.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub(crate) fn publish_crate(&self, crate_folder: &Path, sha256: &Sha256Digest) -> Result<(), StoreError> {
        let entry = self.crates_dir().join(sha256.to_string());
        let failed = StoreError::write(&entry);
        fs_err::create_dir_all(self.crates_dir()).map_err(&failed)?;
        match fs_err::rename(crate_folder, &entry) {
            Err(_) if entry.exists() => Ok(()),
            result => result.map_err(failed),
        }
    }

    /// Notes that the source with this tree is built of these crates, among others.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub(crate) fn record_crates(
        &self,
        tree_hash: &Sha256Digest,
        crates: impl IntoIterator<Item = Sha256Digest>,
    ) -> Result<(), StoreError> {
        let mut all = self.recorded_crates(tree_hash);
        all.extend(crates);
        let path = self.crates_file(tree_hash);
        let text = serde_json::to_vec_pretty(&all).map_err(io::Error::from);
        text.and_then(|text| file::write(&path, text))
            .map_err(StoreError::write(&path))
    }

    /// The folders of the crates that came in a bundle with the source that has this tree; none where it came otherwise.
    pub fn crates_of(&self, tree_hash: &Sha256Digest) -> Vec<PathBuf> {
        let folders = self
            .recorded_crates(tree_hash)
            .into_iter()
            .map(|sha256| self.crates_dir().join(sha256.to_string()));
        let there = Vec::from_iter(folders.filter(|folder| folder.is_dir()));
        there.iter().for_each(|folder| self.mark_used(folder));
        there
    }

    fn recorded_crates(&self, tree_hash: &Sha256Digest) -> BTreeSet<Sha256Digest> {
        let text = std::fs::read(self.crates_file(tree_hash)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn crates_file(&self, tree_hash: &Sha256Digest) -> PathBuf {
        self.records_dir()
            .join("crates")
            .join(format!("{tree_hash}.json"))
    }
}
