//! The store: sources, weights and built plugins on this machine, each named by the hash of its content.
//!
//! ```text
//! sources/<tree hash>/tree/        a source's files, as checked out or extracted
//! sources/<tree hash>/source.json  written last: its presence says that the tree is whole
//! weights/<sha256>                 a downloaded file
//! models/                          the files of models, by their names: see `weights`
//! crates/<sha256>/                 a crate that came in a bundle
//! artifacts/<key>/                 a built plugin
//! calibrations/<key>               what bytes stand for in a model's networks
//! build/                           the target folder that all plugins share: see `builds`
//! records/                         what references resolved to
//! tmp/                             whatever is not finished
//! ```
//!
//! Everything is made in `tmp/` and published by one rename, so a process that is killed at any moment leaves nothing
//! that looks finished. Several processes may do the same at once: the first to rename wins, the others use its result.
//! Entries never change once they are published. All of it can be had again, which is why it is a cache.
mod builds;
mod crates;
mod error;
mod maintenance;
mod records;
mod sources;
mod staging;
mod stamp;
#[cfg(test)]
mod tests;

use etcetera::BaseStrategy as _;
use modelzoo_base::{Sha256Digest, file};
use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

pub use error::StoreError;
pub use maintenance::{Garbage, GcOptions, StoreEntry, StoreEntryKind, Verdict};
pub use records::{CommitRecord, DownloadRecord, RevisionRecord};
pub use staging::Staging;

pub(crate) use sources::TREE;
pub(crate) use stamp::{stamp, stamp_of};

/// Names the store's folder.
pub const STORE_VARIABLE: &str = "MODELZOO_STORE";
/// Names the folder that holds everything of modelzoo's: `store` and `data` in it.
pub const HOME_VARIABLE: &str = "MODELZOO_HOME";

/// Backup programs leave out folders that hold a file which begins so (<https://bford.info/cachedir/>).
const CACHE_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This folder is modelzoo's store. All of it can be downloaded or built again.\n";

/// The store of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store in `root`, which is created.
    ///
    /// # Errors
    /// The folder cannot be created or written to.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        // Plugins and workers start in other folders.
        let root = std::path::absolute(&root).map_err(StoreError::open(&root))?;
        let store = Self { root };
        let failed = StoreError::open(&store.root);
        for folder in [
            store.sources_dir(),
            store.weights_dir(),
            store.artifacts_dir(),
            store.temporary_dir(),
        ] {
            fs_err::create_dir_all(folder).map_err(&failed)?;
        }
        let tag = store.root.join("CACHEDIR.TAG");
        if !tag.exists() {
            file::write(&tag, CACHE_TAG).map_err(failed)?;
        }
        Ok(store)
    }

    /// The store at [`Store::default_root`].
    ///
    /// # Errors
    /// As [`Store::open`]; or there is no home folder.
    pub fn open_default() -> Result<Self, StoreError> {
        Self::open(Self::default_root()?)
    }

    /// `MODELZOO_STORE`; else `store` in `MODELZOO_HOME`; else `modelzoo` in the user's XDG cache folder.
    ///
    /// # Errors
    /// There is no home folder.
    pub fn default_root() -> Result<PathBuf, StoreError> {
        if let Some(root) = variable(STORE_VARIABLE) {
            return Ok(root);
        }
        if let Some(home) = variable(HOME_VARIABLE) {
            return Ok(home.join("store"));
        }
        let strategy = etcetera::choose_base_strategy().map_err(|_| StoreError::NoHome)?;
        Ok(strategy.cache_dir().join("modelzoo"))
    }

    /// The folder of what cannot be had again (registered sources, decisions on trust): `data` in `MODELZOO_HOME`,
    /// else `modelzoo` in the user's XDG data folder. It is not created.
    ///
    /// # Errors
    /// There is no home folder.
    pub fn default_data_dir() -> Result<PathBuf, StoreError> {
        if let Some(home) = variable(HOME_VARIABLE) {
            return Ok(home.join("data"));
        }
        let strategy = etcetera::choose_base_strategy().map_err(|_| StoreError::NoHome)?;
        Ok(strategy.data_dir().join("modelzoo"))
    }

    /// The store's folder; absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of all sources.
    pub fn sources_dir(&self) -> PathBuf {
        self.root.join("sources")
    }

    /// The folder of all weights.
    pub fn weights_dir(&self) -> PathBuf {
        self.root.join("weights")
    }

    /// Where the weights with this digest are, if they are there: a file, or a folder that was extracted.
    pub fn weights_path(&self, sha256: &Sha256Digest) -> PathBuf {
        self.weights_dir().join(sha256.to_string())
    }

    /// The folder of all built plugins.
    pub fn artifacts_dir(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    /// Where it is kept how the model with this key was calibrated to be computed on bytes, if it was.
    pub fn calibration_path(&self, key: &Sha256Digest) -> PathBuf {
        self.calibrations_dir().join(key.to_string())
    }

    pub(super) fn calibrations_dir(&self) -> PathBuf {
        self.root.join("calibrations")
    }

    /// The target folder that all plugins share, so that common dependencies are compiled once. It is not created.
    pub fn build_dir(&self) -> PathBuf {
        self.root.join("build")
    }

    /// The folder of whatever is not finished; on the same file system as the rest.
    pub fn temporary_dir(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn records_dir(&self) -> PathBuf {
        self.root.join("records")
    }

    /// Notes that an entry (a source's, weights' or artifact's path) was used now, so that [`Store::gc`] keeps it.
    pub fn mark_used(&self, entry: &Path) {
        let touched = std::fs::File::open(entry).and_then(|file| file.set_modified(SystemTime::now()));
        if let Err(error) = touched {
            // A store that cannot be written to can still be used.
            tracing::debug!("cannot note the use of {}: {error}", entry.display());
        }
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
