//! What can go wrong with a download.
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose, ErrorClass, NextStep, in_one_line},
    file::about,
};
use std::{
    error::Error as StdError,
    io,
    path::{Display, Path, PathBuf},
    time::Duration,
};

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The network may not be used, and the file is not there.
    #[error(
        "{} is missing and cannot be downloaded offline (from {url})",
        name(destination)
    )]
    Offline {
        /// Where the file should be.
        destination: PathBuf,
        /// Where it would come from.
        url: String,
    },
    /// The request names no URL.
    #[error("no URL is known for {}", name(destination))]
    NoUrl {
        /// Where the file should be.
        destination: PathBuf,
    },
    /// None of the URLs gave the file.
    #[error("cannot download {}{}", name(destination), list(failures))]
    Failed {
        /// Where the file should be.
        destination: PathBuf,
        /// What happened at each URL, in the order of the attempts. Never empty.
        failures: Vec<UrlFailure>,
    },
    /// Somebody asked for it to stop.
    #[error("the download of {} was cancelled", name(destination))]
    Cancelled {
        /// Where the file should be.
        destination: PathBuf,
    },
    /// The disk, or the user's share of it, is full.
    #[error(
        "no space left on the disk for {}{}",
        destination.display(),
        needed.map(|bytes| format!(": {bytes} more bytes are needed")).unwrap_or_default()
    )]
    DiskFull {
        /// Where the file should be.
        destination: PathBuf,
        /// How many bytes are still to come, if the server said it.
        needed: Option<u64>,
    },
    /// The file cannot be written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The HTTP client cannot start: mostly, no certificates of certification authorities are installed.
    #[error("cannot set up HTTPS")]
    Client(#[source] Box<dyn StdError + Send + Sync>),
}

impl DownloadError {
    /// What the system said about `path`. A full disk, of which `needed` more bytes were needed, is told apart.
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error, needed: Option<u64>) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                destination: path.to_owned(),
                needed,
            },
            _ => Self::File {
                action,
                path: path.to_owned(),
                source: about(path, source),
            },
        }
    }

    /// Whether content arrived that is not what was expected.
    pub fn is_integrity(&self) -> bool {
        self.any(|reason| {
            matches!(
                reason,
                FailureReason::DigestMismatch { .. } | FailureReason::SizeMismatch { .. }
            )
        })
    }

    /// Whether the file does not exist at any of its URLs.
    pub fn is_not_found(&self) -> bool {
        let gone = |reason: &FailureReason| match reason {
            FailureReason::Status { code, .. } => matches!(code, 404 | 410),
            FailureReason::LocalFile { source } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        matches!(self, Self::Failed { failures, .. } if failures.iter().all(|failure| gone(&failure.reason)))
    }

    fn any(&self, matches: impl Fn(&FailureReason) -> bool) -> bool {
        matches!(self, Self::Failed { failures, .. } if failures.iter().any(|failure| matches(&failure.reason)))
    }
}

impl Diagnose for DownloadError {
    fn class(&self) -> ErrorClass {
        if self.is_integrity() {
            ErrorClass::Integrity
        } else if self.is_not_found() || matches!(self, Self::Offline { .. }) {
            ErrorClass::NotFound
        } else {
            ErrorClass::Failed
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Offline { .. } => Some(NextStep::GoOnline),
            Self::DiskFull { .. } => Some(NextStep::FreeSpace),
            Self::Client(_) => Some(NextStep::advice(
                "install the system's certificates (package ca-certificates)",
            )),
            Self::Failed { failures, .. } => failures.iter().find_map(|failure| failure.reason.next_step()),
            Self::File { source, .. } => NextStep::for_access(source),
            Self::NoUrl { .. } | Self::Cancelled { .. } => None,
        }
    }
}

/// A file's name: where it would have been put may be a temporary place that says nothing to anybody.
fn name(destination: &Path) -> Display<'_> {
    Path::new(destination.file_name().unwrap_or(destination.as_os_str())).display()
}

/// What happened at one URL.
#[derive(Debug)]
pub struct UrlFailure {
    /// The URL, without a password.
    pub url: String,
    /// What happened.
    pub reason: FailureReason,
}

/// Why one URL did not give the file.
#[derive(Debug, thiserror::Error)]
pub enum FailureReason {
    /// The URL is none, or none that can be downloaded from.
    #[error("not a URL that can be downloaded from (http, https or file): {problem}")]
    UnsupportedUrl {
        /// What is wrong with it.
        problem: String,
    },
    /// No connection, or none with a certificate that can be trusted.
    #[error("cannot connect: {problem}")]
    Connect {
        /// The innermost of what the HTTP client said, which says most ("connection refused", "invalid peer
        /// certificate").
        problem: String,
    },
    /// The server answered with an error.
    #[error("the server answered {code}{}", if phrase.is_empty() { String::new() } else { format!(" {phrase}") })]
    Status {
        /// The HTTP status.
        code: u16,
        /// The status in words.
        phrase: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
        /// The variable with a token that the server knows, when the token was not set.
        missing_token: Option<&'static str>,
    },
    /// The server redirects in a way that is not followed.
    #[error("the redirect to {to} is not followed: {problem}")]
    Redirect {
        /// Where it leads.
        to: String,
        /// Why it is not followed.
        problem: &'static str,
    },
    /// Nothing arrived for too long.
    #[error("nothing arrived for {} s", after.as_secs_f32())]
    Stalled {
        /// The time-out.
        after: Duration,
    },
    /// The connection ended in the middle.
    #[error(
        "the connection broke after {received} bytes{}",
        total.map(|total| format!(" of {total}")).unwrap_or_default()
    )]
    Broken {
        /// How much of the file is there.
        received: u64,
        /// How much there should be, if known.
        total: Option<u64>,
    },
    /// The file at the URL is no longer the one of which a part was downloaded.
    #[error("the file changed on the server during the download")]
    Changed,
    /// A page for people came instead of the file.
    #[error(
        "a web page came instead of the file{}",
        title.as_ref().map(|title| format!(": \"{title}\"")).unwrap_or_default()
    )]
    WebPage {
        /// The title of the page.
        title: Option<String>,
    },
    /// The server compresses although it was asked not to.
    #[error("the server sends the file in the encoding `{encoding}`, which was not asked for")]
    Encoding {
        /// The encoding.
        encoding: String,
    },
    /// The content has another size than it should have.
    #[error("the file has {found} bytes where {expected} were expected")]
    SizeMismatch {
        /// The size that was asked for.
        expected: u64,
        /// The size that the server says or sends.
        found: u64,
    },
    /// The content is not what it should be.
    #[error("the file has the SHA-256 {found} where {expected} was expected")]
    DigestMismatch {
        /// The digest that was asked for.
        expected: Sha256Digest,
        /// The digest of what arrived.
        found: Sha256Digest,
    },
    /// A `file://` URL whose file cannot be read.
    #[error("cannot read the file")]
    LocalFile {
        /// What the system said.
        source: io::Error,
    },
}

impl FailureReason {
    /// Whether the same URL may give the file in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Stalled { .. } | Self::Broken { .. } | Self::Changed => true,
            Self::Status { code, .. } => matches!(code, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Status {
                missing_token: Some(variable),
                ..
            } => Some(NextStep::advice(format!(
                "if the file is private, set {variable} to a token that may read it"
            ))),
            Self::WebPage { .. } => Some(NextStep::advice(
                "open the URL in a browser: it may ask to sign in, or its quota is used up",
            )),
            Self::DigestMismatch { .. } => Some(NextStep::advice(
                "the file was replaced or is corrupt: ask its publisher, do not use it",
            )),
            _ => None,
        }
    }
}

/// Where there are several, none of them is the one cause, so all are told here.
fn list(failures: &[UrlFailure]) -> String {
    match failures {
        [failure] => format!(" from {}", told(failure)),
        _ => failures
            .iter()
            .map(|failure| format!("\n  {}", told(failure)))
            .collect(),
    }
}

fn told(failure: &UrlFailure) -> String {
    format!("{}: {}", failure.url, in_one_line(&failure.reason))
}
