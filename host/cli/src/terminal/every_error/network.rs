//! What fetching repositories and files fails with.

use super::{COMMIT, Sample, digest, each, full, joined, not_found, path, url, within};
use modelzoo::{
    archive::ArchiveError,
    download::{DownloadError, FailureReason, UrlFailure},
    git::{GitError, GitReason},
};
use std::{io, time::Duration};

pub(super) fn samples() -> Vec<Sample> {
    joined([git(), archives(), downloads()])
}

fn git() -> Vec<Sample> {
    let source = || GitReason {
        message: "unexpected end of the stream".to_owned(),
    };
    each([
        GitError::NoSuchRepository { url: url() },
        GitError::Authentication {
            url: url(),
            refused: true,
        },
        GitError::Empty { url: url() },
        GitError::NoDefaultBranch {
            url: url(),
            names: vec!["develop".to_owned()],
        },
        GitError::ObjectFormat {
            url: url(),
            source: source(),
        },
        GitError::NoSuchRevision {
            url: url(),
            revision: "v1.0".to_owned(),
            suggestions: vec!["v1".to_owned()],
        },
        GitError::AmbiguousCommit {
            url: url(),
            revision: "0123".to_owned(),
        },
        GitError::Network {
            url: url(),
            source: source(),
        },
        GitError::UnknownHost { url: url() },
        GitError::Stalled {
            url: url(),
            after: Duration::from_secs(30),
        },
        GitError::Redirected {
            url: url(),
            to: "https://example.com/acme/model".to_owned(),
        },
        GitError::Cancelled { url: url() },
        GitError::Fetch {
            url: url(),
            source: source(),
        },
        GitError::BrokenObject {
            commit: COMMIT.to_owned(),
            source: source(),
        },
        GitError::Refused {
            commit: COMMIT.to_owned(),
            path: "../outside".to_owned(),
            reason: "it leads out of the source".to_owned(),
        },
        GitError::Write {
            path: path("store/tmp/a"),
            source: full(),
        },
    ])
}

fn archives() -> Vec<Sample> {
    let path = || path("model.zip");
    each([
        ArchiveError::UnknownFormat { path: path() },
        ArchiveError::Read {
            path: path(),
            source: io::ErrorKind::UnexpectedEof.into(),
        },
        ArchiveError::Refused {
            path: path(),
            entry: "../outside".to_owned(),
            reason: "leads out of the archive".to_owned(),
        },
        ArchiveError::Write {
            path: path(),
            source: full(),
        },
    ])
}

fn downloads() -> Vec<Sample> {
    let destination = || path("store/model.safetensors");
    let url = || "https://example.com/model.safetensors".to_owned();
    let downloads = each([
        DownloadError::Offline {
            destination: destination(),
            url: url(),
        },
        DownloadError::NoUrl {
            destination: destination(),
        },
        DownloadError::Failed {
            destination: destination(),
            failures: vec![
                UrlFailure {
                    url: url(),
                    reason: FailureReason::Changed,
                },
                UrlFailure {
                    url: "https://mirror.example.com/model.safetensors".to_owned(),
                    reason: FailureReason::WebPage { title: None },
                },
            ],
        },
        DownloadError::Cancelled {
            destination: destination(),
        },
        DownloadError::DiskFull {
            destination: destination(),
            needed: Some(4096),
        },
        DownloadError::File {
            action: "write",
            path: destination(),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        DownloadError::Client("no certificates".into()),
    ]);
    let reasons = [
        FailureReason::UnsupportedUrl {
            problem: "relative URL without a base".to_owned(),
        },
        FailureReason::Connect {
            problem: "connection refused".to_owned(),
        },
        FailureReason::Status {
            code: 401,
            phrase: "Unauthorized".to_owned(),
            retry_after: None,
            missing_token: Some("HF_TOKEN"),
        },
        FailureReason::Redirect {
            to: "http://example.com/model".to_owned(),
            problem: "it is not encrypted",
        },
        FailureReason::Stalled {
            after: Duration::from_secs(30),
        },
        FailureReason::Broken {
            received: 10,
            total: Some(4096),
        },
        FailureReason::Changed,
        FailureReason::WebPage {
            title: Some("Sign in".to_owned()),
        },
        FailureReason::Encoding {
            encoding: "br".to_owned(),
        },
        FailureReason::SizeMismatch {
            expected: 4096,
            found: 10,
        },
        FailureReason::DigestMismatch {
            expected: digest("expected"),
            found: digest("found"),
        },
        FailureReason::LocalFile { source: not_found() },
    ];
    let at_one_url = within(reasons, |reason| DownloadError::Failed {
        destination: destination(),
        failures: vec![UrlFailure { url: url(), reason }],
    });
    joined([downloads, at_one_url])
}
