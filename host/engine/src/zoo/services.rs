//! What plugins may ask of this host.

use super::observer::{Event, Observer};
use modelzoo_plugin_api::{DownloadRequest, Error as PluginError, ErrorKind, Result as PluginResult};
use modelzoo_runtime::HostServices;
use modelzoo_sources::{
    Sha256Digest,
    download::{Cancellation, Downloader, Progress, Request},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Downloads for plugins, and their progress for the user.
pub(super) struct Services {
    pub(super) downloader: Arc<Downloader>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) cancellation: Cancellation,
    pub(super) threads: Option<usize>,
}

impl HostServices for Services {
    fn progress(&self, step: &str, done: u64, total: Option<u64>) {
        self.observer.notice(Event::Plugin { step, done, total });
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    fn threads(&self) -> usize {
        self.threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn download(&self, request: &DownloadRequest) -> PluginResult<PathBuf> {
        let sha256 = request
            .sha256
            .as_ref()
            .map(|text| text.parse::<Sha256Digest>())
            .transpose()
            .map_err(|error| PluginError::from(error).with_kind(ErrorKind::InvalidInput))?;
        let request = Request {
            urls: request.urls.clone(),
            sha256,
            size: request.size_bytes,
            destination: request.destination.clone(),
        };
        let progress = DownloadProgress::new(self.observer.as_ref());
        let downloaded = self.downloader.fetch(&request, &progress, &self.cancellation)?;
        Ok(downloaded.path)
    }
}

/// Tells an observer how far the download of one file is.
pub(super) struct DownloadProgress<'a> {
    observer: &'a dyn Observer,
    total: Mutex<Option<u64>>,
}

impl<'a> DownloadProgress<'a> {
    pub(super) fn new(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            total: Mutex::default(),
        }
    }
}

impl Progress for DownloadProgress<'_> {
    fn started(&self, file: &Path, done: u64, total: Option<u64>) {
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) = total;
        self.advanced(file, done);
    }

    fn advanced(&self, file: &Path, done: u64) {
        let total = *self.total.lock().unwrap_or_else(PoisonError::into_inner);
        self.observer.notice(Event::Downloading { file, done, total });
    }

    fn finished(&self, _file: &Path) {
        self.observer.notice(Event::Over);
    }
}
