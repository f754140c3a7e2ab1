use super::{Consent, NoObserver, NobodyToAsk, Observer, ZooError};
use modelzoo_sources::{config::Config, download::Cancellation, lock::LockPlace, store::Store};
use std::{fmt, path::PathBuf, sync::Arc};

/// How a [`Zoo`](super::Zoo) works.
#[derive(Clone)]
pub struct ZooSettings {
    /// Mirrors, tokens' hosts, trust and the rest.
    pub config: Config,
    /// Where sources, plugins and weights are kept.
    pub store: Store,
    /// Where registered sources and decisions of trust are kept.
    pub data_dir: PathBuf,
    /// Where the lock is looked for.
    pub lock_place: LockPlace,
    /// Whether the lock may not change.
    pub locked: bool,
    /// Whether the network may not be used.
    pub offline: bool,
    /// Is told how far long steps are.
    pub observer: Arc<dyn Observer>,
    /// Is asked before a stranger's code runs.
    pub consent: Arc<dyn Consent>,
    /// Stops long steps.
    pub cancellation: Cancellation,
}

impl ZooSettings {
    /// The user's own configuration and store, and the lock of the current folder.
    ///
    /// # Errors
    /// When the configuration cannot be read or the store not be opened.
    pub fn of_user() -> Result<Self, ZooError> {
        let store = Store::open_default()?;
        let folder = std::env::current_dir().map_err(ZooError::CurrentFolder)?;
        let records = store.root().join("runs");
        Ok(Self {
            config: Config::load()?,
            data_dir: Store::default_data_dir()?,
            lock_place: LockPlace {
                file: None,
                folder,
                records,
            },
            store,
            locked: false,
            offline: false,
            observer: Arc::new(NoObserver),
            consent: Arc::new(NobodyToAsk),
            cancellation: Cancellation::default(),
        })
    }
}

impl fmt::Debug for ZooSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ZooSettings")
            .field("store", &self.store)
            .field("data_dir", &self.data_dir)
            .field("lock_place", &self.lock_place)
            .field("locked", &self.locked)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}
