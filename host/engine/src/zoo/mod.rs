//! From a model's name to a loaded model: find its source, build its plugin, get its weights, load it.

mod error;
mod find;
mod load;
mod observer;
mod prepare;
mod services;
mod weights;

pub use error::ZooError;
pub use find::FoundModel;
pub use load::LoadSettings;
pub use observer::{Event, NoObserver, Observer};
pub use prepare::{PreparedModel, Provenance};

use modelzoo_sources::{
    config::Config,
    download::{Cancellation, Credentials, Downloader},
    store::Store,
};
use std::{fmt, sync::Arc};

/// How a [`Zoo`] works.
#[derive(Clone)]
pub struct ZooSettings {
    /// Mirrors, tokens' hosts, trust and the rest.
    pub config: Config,
    /// Where everything is kept.
    pub store: Store,
    /// Whether the network may not be used.
    pub offline: bool,
    /// Is told how far long steps are.
    pub observer: Arc<dyn Observer>,
    /// Stops long steps.
    pub cancellation: Cancellation,
}

impl ZooSettings {
    /// The user's own configuration and store.
    ///
    /// # Errors
    /// When the configuration cannot be read or the store not be opened.
    pub fn of_user() -> Result<Self, ZooError> {
        Ok(Self {
            config: Config::load()?,
            store: Store::open_default()?,
            offline: false,
            observer: Arc::new(NoObserver),
            cancellation: Cancellation::default(),
        })
    }
}

impl fmt::Debug for ZooSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ZooSettings")
            .field("store", &self.store)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

/// The models that can be had, wherever they are.
#[derive(Debug)]
pub struct Zoo {
    settings: ZooSettings,
    credentials: Credentials,
    downloader: Arc<Downloader>,
}

impl Zoo {
    /// A zoo that works by `settings`, with the tokens of the environment.
    pub fn new(settings: ZooSettings) -> Self {
        let credentials = Credentials::from_environment(&settings.config);
        let downloader = Arc::new(Downloader::with_credentials(
            &settings.config,
            settings.offline,
            credentials.clone(),
        ));
        Self {
            settings,
            credentials,
            downloader,
        }
    }

    /// How it works.
    pub fn settings(&self) -> &ZooSettings {
        &self.settings
    }
}
