//! From a model's name to a loaded model: find its source, ask for consent, build its plugin, get its weights, load it.

mod builder;
mod bundle;
mod consent;
mod find;
mod garbage;
mod load;
mod lock;
mod prebuilt;
mod prepare;
mod published;
mod rebuild;
mod release;
mod services;
mod sources;
mod trust;
mod weights;

pub use builder::{Network, ZooBuilder};
pub use bundle::{LoadBundlePlan, LoadedBundle, SaveBundlePlan};
pub use consent::{Consent, NobodyToAsk};
pub use find::FoundModel;
pub use garbage::GarbagePlan;
pub use load::{DownloadPlan, DownloadedModel, LoadPlan};
pub use lock::LockPlan;
pub use rebuild::{Finding, Rebuilt};
pub use release::Release;
pub use sources::{ForgetPlan, RegisterPlan, UpdatePlan};
pub use trust::{AllowPlan, DenyPlan, RevokePlan};
pub use weights::DeletePlan;

use crate::error::ZooError;
use builder::Settings;
use modelzoo_sources::{
    access::Access,
    config::Config,
    download::Downloader,
    lock::LockFile,
    registry::{Catalog, Registry},
    store::Store,
    trust::TrustStore,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The models that can be had, wherever they are, and everything that is done with them and their sources.
///
/// ```no_run
/// use modelzoo::{Network, Zoo};
///
/// modelzoo::run_worker_if_asked(); // first in `main`: plugins run in this program, started again
///
/// let zoo = Zoo::builder().store("models").network(Network::Offline).build()?;
/// let model = zoo.load("user/repo@v1#small")?;
/// println!("{:?}", model.info().classes);
/// # Ok::<(), modelzoo::ZooError>(())
/// ```
#[derive(Debug)]
pub struct Zoo {
    settings: Settings,
    downloader: Arc<Downloader>,
    lock: Mutex<LockFile>,
}

impl Zoo {
    /// Begins a zoo of the program's own: nothing is read from the environment, the current folder or the user's
    /// configuration.
    pub fn builder() -> ZooBuilder {
        ZooBuilder::new()
    }

    /// The zoo of the user: the store, the configuration, the tokens and the lock that the program `modelzoo` would use
    /// in the current folder.
    ///
    /// # Errors
    /// When the configuration cannot be read, or the store not be opened.
    pub fn of_user() -> Result<Self, ZooError> {
        ZooBuilder::of_user()?.build()
    }

    /// Where sources, plugins and weights are kept.
    pub fn store(&self) -> &Store {
        &self.settings.store
    }

    /// The configuration that it works by.
    pub fn config(&self) -> &Config {
        &self.settings.config
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

    fn registry(&self) -> Registry {
        Registry::new(&self.settings.data_dir)
    }

    /// Whose code may run, by the user's own decisions.
    fn decisions(&self) -> TrustStore {
        TrustStore::new(&self.settings.data_dir)
    }

    /// How servers are reached.
    fn access(&self) -> Access<'_> {
        Access {
            downloader: &self.downloader,
            observer: self.settings.observer.as_ref(),
            cancellation: &self.settings.cancellation,
        }
    }

    fn lock(&self) -> MutexGuard<'_, LockFile> {
        // A lock file is changed in single steps, so a panic elsewhere leaves it whole.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
