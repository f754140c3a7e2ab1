//! The one downloader, for the host and (through it) for plugins.
//!
//! A file arrives in a partial file beside its destination, is checked while it streams, and is renamed when it is whole:
//! the destination never holds anything but a good file. Attempts that fail are repeated with growing pauses; what a
//! killed process had is continued by the next one. URLs are tried in order, after the configuration's mirrors.
mod credentials;
mod error;
mod google_drive;
mod http;
mod hugging_face;
mod partial;
mod transfer;
mod web_page;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};
use url::Url;

pub use credentials::Credentials;
pub use error::{DownloadError, FailureReason, UrlFailure};
pub use google_drive::google_drive_url;
pub use hugging_face::hugging_face_url;

use crate::config::{Config, DownloadConfig, Mirrors};
use http::Rules;
pub(crate) use http::{
    CONNECT_TIMEOUT, Http, Interrupted, MAXIMUM_REDIRECTS, TICK, redirect_target, watched,
};
use modelzoo_base::{
    Sha256Digest,
    progress::{Cancellation, Event, Observer},
};
use partial::{Claim, Partial};
use transfer::{Stop, Transfer};

/// The pause after the first fruitless attempt; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a server can ask for with `Retry-After`.
const LONGEST_REQUESTED_PAUSE: Duration = Duration::from_secs(120);
/// An attempt that brought this much was not fruitless, though it broke.
const FRUITFUL_BYTES: u64 = 1024 * 1024;

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where it is, the best first: `http`, `https` and `file` URLs, Google Drive's links.
    pub urls: Vec<String>,
    /// The digest it must have, if known.
    pub sha256: Option<Sha256Digest>,
    /// The size in bytes it must have, if known.
    pub size: Option<u64>,
    /// Where it is put; its folder is created. An existing file is replaced, unless it has the digest already.
    pub destination: PathBuf,
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The request's destination.
    pub path: PathBuf,
    /// The digest of the content.
    pub sha256: Sha256Digest,
    /// The size in bytes.
    pub size: u64,
    /// Which of the request's URLs it came from; `None` when it was there already.
    pub url: Option<String>,
}

/// Downloads files by the configuration's rules. Can be shared between threads.
#[derive(Debug)]
pub struct Downloader {
    settings: DownloadConfig,
    mirrors: Mirrors,
    credentials: Credentials,
    offline: bool,
    first_pause: Duration,
    /// Started when first needed: loading the system's certificates takes longer than most commands.
    http: OnceLock<Arc<Http>>,
}

impl Downloader {
    /// A downloader by `config`, with the tokens of the environment. `offline` refuses all but `file://`.
    pub fn new(config: &Config, offline: bool) -> Self {
        Self::with_credentials(config, offline, Credentials::from_environment(config))
    }

    /// A downloader by `config` with these tokens.
    pub fn with_credentials(config: &Config, offline: bool, credentials: Credentials) -> Self {
        Self {
            settings: config.download.clone(),
            mirrors: config.mirrors.clone(),
            credentials,
            offline,
            first_pause: FIRST_PAUSE,
            http: OnceLock::new(),
        }
    }

    /// What stands in the place of URLs.
    pub(crate) fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// The tokens that servers are shown.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How long a server may send nothing before it is given up.
    pub fn stall_timeout(&self) -> Duration {
        self.settings.stall_timeout
    }

    /// Whether the network may not be used.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Downloads one file and waits for it.
    ///
    /// When another process is downloading to the same destination, this waits for it and takes its result.
    pub fn fetch(
        &self,
        request: &Request,
        observer: &dyn Observer,
        cancellation: &Cancellation,
    ) -> Result<Downloaded, DownloadError> {
        if let Some(there) = request.sha256.and_then(|_| existing(request)) {
            observer.notice(Event::Over);
            return Ok(there);
        }
        let urls = self.usable_urls(request)?;
        let stall_timeout = self.settings.stall_timeout;
        let mut partial = match Partial::claim(&request.destination, stall_timeout, observer, cancellation)? {
            Claim::Mine(partial) => *partial,
            Claim::Published => match existing(request) {
                Some(there) => {
                    observer.notice(Event::Over);
                    return Ok(there);
                }
                // Another process wanted, and got, something else under this name.
                None => return self.fetch(request, observer, cancellation),
            },
        };
        let transfer = Transfer {
            request,
            observer,
            rules: self.rules(cancellation),
        };
        match self.first_that_works(transfer, urls, &mut partial) {
            Ok(url) => {
                let (sha256, size) = (partial.digest(), partial.length());
                partial.publish()?;
                observer.notice(Event::Over);
                Ok(Downloaded {
                    path: request.destination.clone(),
                    sha256,
                    size,
                    url: Some(url),
                })
            }
            Err(error @ DownloadError::DiskFull { .. }) => {
                partial.discard();
                Err(error)
            }
            Err(error) => {
                partial.release();
                Err(error)
            }
        }
    }

    fn rules<'a>(&'a self, cancellation: &'a Cancellation) -> Rules<'a> {
        Rules {
            credentials: &self.credentials,
            mirrors: &self.mirrors,
            stall_timeout: self.settings.stall_timeout,
            cancellation,
        }
    }

    /// The request's URLs that may be used, parsed; or why there is none.
    fn usable_urls(&self, request: &Request) -> Result<Vec<Result<Url, UrlFailure>>, DownloadError> {
        let destination = &request.destination;
        let first = request.urls.first().ok_or_else(|| DownloadError::NoUrl {
            destination: destination.clone(),
        })?;
        let urls = request.urls.iter().map(|text| match Url::parse(text) {
            Ok(url) => Ok(google_drive::content_url(url)),
            Err(error) => Err(UrlFailure {
                url: text.clone(),
                reason: FailureReason::UnsupportedUrl {
                    problem: error.to_string(),
                },
            }),
        });
        if !self.offline {
            return Ok(urls.collect());
        }
        let local: Vec<_> = urls
            .filter(|url| url.as_ref().is_ok_and(|url| self.is_local(url)))
            .collect();
        if local.is_empty() {
            let url = Url::parse(first).map_or_else(|_| first.clone(), |url| http::shown(&url));
            return Err(DownloadError::Offline {
                destination: destination.clone(),
                url,
            });
        }
        Ok(local)
    }

    fn is_local(&self, url: &Url) -> bool {
        self.mirrors.rewrite(url.as_str()).starts_with("file:")
    }

    /// Tries the URLs in order until one has filled `partial` with what was asked for; gives that URL.
    fn first_that_works(
        &self,
        transfer: Transfer<'_>,
        urls: Vec<Result<Url, UrlFailure>>,
        partial: &mut Partial,
    ) -> Result<String, DownloadError> {
        let mut failures = Vec::new();
        for url in urls {
            let url = match url {
                Ok(url) => url,
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            match self.with_retries(transfer, &url, partial) {
                Ok(()) => return Ok(url.into()),
                Err(Stop::Final(error)) => return Err(error),
                Err(Stop::Url(reason)) => failures.push(UrlFailure {
                    url: http::shown(&url),
                    reason,
                }),
            }
        }
        Err(DownloadError::Failed {
            destination: transfer.request.destination.clone(),
            failures,
        })
    }

    /// Fills `partial` from one URL, in as many attempts as it takes and the settings allow.
    fn with_retries(&self, transfer: Transfer<'_>, url: &Url, partial: &mut Partial) -> Result<(), Stop> {
        let mut fruitless = 0;
        let mut furthest = partial.length();
        loop {
            let reason = match self.attempt(transfer, url, partial) {
                Ok(()) => match verify(transfer.request, partial) {
                    Ok(()) => return Ok(()),
                    Err(reason) => {
                        // The pieces may be of different contents: in one piece, the server gets another chance.
                        let in_pieces = partial.was_resumed();
                        partial.forget();
                        if !in_pieces {
                            return Err(reason.into());
                        }
                        continue;
                    }
                },
                Err(Stop::Url(reason)) => reason,
                Err(stop @ Stop::Final(_)) => return Err(stop),
            };
            if matches!(
                reason,
                FailureReason::Changed | FailureReason::WebPage { .. } | FailureReason::SizeMismatch { .. }
            ) {
                partial.forget();
            }
            if partial.length() >= furthest + FRUITFUL_BYTES {
                (fruitless, furthest) = (0, partial.length());
            }
            if !reason.is_transient() || fruitless >= self.settings.retries {
                return Err(reason.into());
            }
            let pause = self.pause(fruitless, &reason);
            fruitless += 1;
            transfer.observer.notice(Event::Retrying {
                file: &transfer.request.destination,
                reason: &reason.to_string(),
                after: pause,
            });
            transfer.pause(pause)?;
        }
    }

    fn attempt(&self, transfer: Transfer<'_>, url: &Url, partial: &mut Partial) -> Result<(), Stop> {
        let unsupported = |problem: String| Stop::Url(FailureReason::UnsupportedUrl { problem });
        let address = self.mirrors.rewrite(url.as_str());
        let address = Url::parse(&address).map_err(|error| unsupported(format!("{error}: {address}")))?;
        match address.scheme() {
            "http" | "https" => {
                let http = self.http().map_err(Stop::Final)?;
                http.block_on(transfer.download(http, url, partial))
            }
            "file" => {
                let path = address
                    .to_file_path()
                    .map_err(|()| unsupported("it names no local path".to_owned()))?;
                transfer.copy(&path, url, partial)
            }
            scheme => Err(unsupported(format!("its scheme is {scheme}"))),
        }
    }

    /// The connections, for what else asks servers.
    pub(crate) fn http(&self) -> Result<&Arc<Http>, DownloadError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let http = Arc::new(Http::new()?);
        Ok(self.http.get_or_init(|| http))
    }

    /// How long to wait after `fruitless` attempts that brought nothing: what the server asks for, or exponentially
    /// longer, between half and the whole of it at random so that many clients do not come back at once.
    fn pause(&self, fruitless: u32, reason: &FailureReason) -> Duration {
        if let FailureReason::Status {
            retry_after: Some(asked),
            ..
        } = reason
        {
            return (*asked).min(LONGEST_REQUESTED_PAUSE);
        }
        let whole = self
            .first_pause
            .saturating_mul(1 << fruitless.min(16))
            .min(LONGEST_PAUSE);
        whole.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

/// The file at the destination, if it is what was asked for.
fn existing(request: &Request) -> Option<Downloaded> {
    let size = std::fs::metadata(&request.destination)
        .ok()
        .filter(std::fs::Metadata::is_file)?
        .len();
    if request.size.is_some_and(|expected| expected != size) {
        return None;
    }
    let sha256 = Sha256Digest::of_file(&request.destination).ok()?;
    if request.sha256.is_some_and(|expected| expected != sha256) {
        return None;
    }
    Some(Downloaded {
        path: request.destination.clone(),
        sha256,
        size,
        url: None,
    })
}

/// That what arrived is what was asked for.
fn verify(request: &Request, partial: &Partial) -> Result<(), FailureReason> {
    if let Some(expected) = request.size.filter(|expected| *expected != partial.length()) {
        return Err(FailureReason::SizeMismatch {
            expected,
            found: partial.length(),
        });
    }
    match request.sha256 {
        Some(expected) if expected != partial.digest() => Err(FailureReason::DigestMismatch {
            expected,
            found: partial.digest(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
