//! How a zoo works: all of it is said by whoever makes it.

use super::{Consent, NobodyToAsk, Zoo};
use crate::error::ZooError;
use modelzoo_base::progress::{Cancellation, NoObserver, Observer};
use modelzoo_data::media::shut_ffmpeg_in;
use modelzoo_sources::{
    config::Config,
    download::{Credentials, Downloader},
    lock::{LockFile, LockPlace},
    store::Store,
};
use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// Whether the network may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// It may.
    #[default]
    Online,
    /// It may not: what would need it is an error.
    Offline,
    /// It may not yet: to fetch a source is a step of a [`Plan`](crate::Plan) that is told and not executed.
    Deferred,
}

/// Makes a [`Zoo`]. Only the store has to be named; by default there is no configuration, no lock file and no token, the
/// network may be used, nothing is told, and nobody's code is allowed that the configuration does not allow.
#[derive(Clone)]
pub struct ZooBuilder {
    store: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    config: Config,
    credentials: Credentials,
    lock_file: Option<PathBuf>,
    lock_folder: Option<PathBuf>,
    locked: bool,
    network: Network,
    observer: Arc<dyn Observer>,
    consent: Arc<dyn Consent>,
    cancellation: Cancellation,
}

/// How a zoo works.
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) data_dir: PathBuf,
    pub(super) lock_place: LockPlace,
    pub(super) network: Network,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) consent: Arc<dyn Consent>,
    pub(super) cancellation: Cancellation,
}

impl ZooBuilder {
    pub(super) fn new() -> Self {
        Self {
            store: None,
            data_dir: None,
            config: Config::default(),
            credentials: Credentials::default(),
            lock_file: None,
            lock_folder: None,
            locked: false,
            network: Network::default(),
            observer: Arc::new(NoObserver),
            consent: Arc::new(NobodyToAsk),
            cancellation: Cancellation::default(),
        }
    }

    /// Begins with what is the user's: his configuration, store, decisions and tokens, and the lock file of the current
    /// folder.
    ///
    /// # Errors
    /// When the configuration cannot be read, or the user has no folder for a store.
    pub fn of_user() -> Result<Self, ZooError> {
        let config = Config::load()?;
        Ok(Self {
            store: Some(Store::default_root()?),
            data_dir: Some(Store::default_data_dir()?),
            credentials: Credentials::from_environment(&config),
            config,
            lock_folder: Some(std::env::current_dir().map_err(ZooError::CurrentFolder)?),
            ..Self::new()
        })
    }

    /// The folder for sources, plugins and weights; it is made if it does not exist.
    pub fn store(mut self, folder: impl Into<PathBuf>) -> Self {
        self.store = Some(folder.into());
        self
    }

    /// The folder for registered sources and decisions of trust (default: `data` in the store).
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Mirrors, hosts, whose code may run, and the rest.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// What a requirement of a model that this machine does not meet is, whatever the configuration says: 0 an error, 1 a
    /// warning in the log, 2 nothing.
    pub(crate) fn requirement_error_level(mut self, level: u8) -> Self {
        self.config.requirement_error_level = level;
        self
    }

    /// The tokens for private repositories and downloads.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// The lock file; it need not exist.
    pub fn lock_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.lock_file = Some(file.into());
        self
    }

    /// The folder in which a lock file is looked for, and in those above it, unless one is named.
    pub fn lock_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.lock_folder = Some(folder.into());
        self
    }

    /// Whether the lock may not change; then there has to be one.
    pub fn locked(mut self, locked: bool) -> Self {
        self.locked = locked;
        self
    }

    /// Whether the network may be used.
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Is told how far long steps are.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Is asked before a stranger's code runs.
    pub fn consent(mut self, consent: impl Consent + 'static) -> Self {
        self.consent = Arc::new(consent);
        self
    }

    /// Stops long steps.
    pub fn cancellation(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = cancellation;
        self
    }

    /// Makes the zoo.
    ///
    /// # Errors
    /// When no store is named, or it cannot be opened; when the lock cannot be read, or there is none, and it may not
    /// change.
    pub fn build(self) -> Result<Zoo, ZooError> {
        shut_ffmpeg_in(self.config.plugin.sandbox);
        let store = Store::open(self.store.ok_or(ZooError::NoStore)?)?;
        let lock_place = LockPlace {
            file: self.lock_file,
            folder: self.lock_folder,
            records: store.root().join("runs"),
        };
        let lock = Mutex::new(LockFile::open(lock_place.clone(), self.locked)?);
        let downloader =
            Downloader::with_credentials(&self.config, self.network != Network::Online, self.credentials);
        Ok(Zoo {
            settings: Settings {
                config: self.config,
                data_dir: self.data_dir.unwrap_or_else(|| store.root().join("data")),
                store,
                lock_place,
                network: self.network,
                observer: self.observer,
                consent: self.consent,
                cancellation: self.cancellation,
            },
            downloader: Arc::new(downloader),
            lock,
        })
    }
}

impl fmt::Debug for ZooBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ZooBuilder")
            .field("store", &self.store)
            .field("data_dir", &self.data_dir)
            .field("lock_file", &self.lock_file)
            .field("lock_folder", &self.lock_folder)
            .field("locked", &self.locked)
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Whether the network may not be used now.
    pub(super) fn offline(&self) -> bool {
        self.network != Network::Online
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("store", &self.store)
            .field("data_dir", &self.data_dir)
            .field("lock_place", &self.lock_place)
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}
