//! From a model's name to a loaded model: find its source, ask for consent, build its plugin, get its weights, load it.

mod consent;
mod error;
mod find;
mod load;
mod manage;
mod observer;
mod plan;
mod prepare;
mod services;
mod settings;
mod weights;

pub use consent::{Consent, NobodyToAsk};
pub use error::ZooError;
pub use find::FoundModel;
pub use load::LoadSettings;
pub use observer::{Event, NoObserver, Observer};
pub use plan::PlannedStep;
pub use prepare::PreparedModel;
pub use settings::ZooSettings;

use modelzoo_sources::{
    download::{Credentials, Downloader},
    lock::{Change, LockFile},
    trust::TrustStore,
    zoo::{Catalog, Registry},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The models that can be had, wherever they are.
#[derive(Debug)]
pub struct Zoo {
    settings: ZooSettings,
    credentials: Credentials,
    downloader: Arc<Downloader>,
    lock: Mutex<LockFile>,
}

impl Zoo {
    /// A zoo that works by `settings`, with the tokens of the environment.
    ///
    /// # Errors
    /// When the lock that counts here cannot be read; or there is none, and nothing may change.
    pub fn new(settings: ZooSettings) -> Result<Self, ZooError> {
        let credentials = Credentials::from_environment(&settings.config);
        let downloader = Arc::new(Downloader::with_credentials(
            &settings.config,
            settings.offline,
            credentials.clone(),
        ));
        let lock = Mutex::new(LockFile::open(settings.lock_place.clone(), settings.locked)?);
        Ok(Self {
            settings,
            credentials,
            downloader,
            lock,
        })
    }

    /// How it works.
    pub fn settings(&self) -> &ZooSettings {
        &self.settings
    }

    /// The sources that are registered.
    pub fn registry(&self) -> Registry {
        Registry::new(&self.settings.data_dir)
    }

    /// All models of the registered sources and of the configured manifests.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn catalog(&self) -> Result<Catalog, ZooError> {
        Ok(Catalog::load(
            &self.registry(),
            &self.settings.config.model_zoo_manifest_paths,
        )?)
    }

    /// Whose code may run, by the user's own decisions.
    pub fn decisions(&self) -> TrustStore {
        TrustStore::new(&self.settings.data_dir)
    }

    /// Writes what was resolved to the lock file that counts here, or to the record of this folder. Gives what changed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_lock(&self) -> Result<Vec<Change>, ZooError> {
        let mut lock = self.lock();
        let changes = lock.changes();
        lock.save()?;
        Ok(changes)
    }

    fn lock(&self) -> MutexGuard<'_, LockFile> {
        // A lock file is changed in single steps, so a panic elsewhere leaves it whole.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
