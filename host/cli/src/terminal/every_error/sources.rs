//! What getting sources, models and weights fails with.

use super::{COMMIT, Sample, digest, each, full, joined, kind, network, not_found, path, url};
use modelzoo::{
    archive::ArchiveError,
    bundle::BundleError,
    config::ConfigError,
    download::DownloadError,
    git::GitError,
    lock::{Change, ContentMismatch, LockError, MovedTag, SourceKey},
    manifest::{ManifestError, SelectError},
    prebuilt::PrebuiltError,
    reference::{Forges, ModelRef, Problem, ReferenceError},
    registry::RegistryError,
    source::{PackError, SourceError},
    store::StoreError,
    trust::{TrustError, TrustState, Undecided},
};
use std::io;

pub(super) fn samples() -> Vec<Sample> {
    joined([
        references(),
        manifests(),
        network::samples(),
        found_sources(),
        packing(),
        prebuilt(),
        bundles(),
        store(),
        registry(),
        locks(),
        trust(),
        configuration(),
    ])
}

fn identity() -> String {
    "github.com/acme/model".to_owned()
}

fn prebuilt() -> Vec<Sample> {
    let url = "https://github.com/acme/model/releases/download/v1/model-x-cpu.tar.gz".to_owned();
    each([
        PrebuiltError::NotOffered {
            identity: identity(),
            target: "x86_64-unknown-linux-gnu (cpu)".to_owned(),
            others: Vec::new(),
        },
        PrebuiltError::BadKey {
            archive: "model-x-cpu.tar.gz".to_owned(),
            key: "untrusted comment".to_owned(),
            problem: "Invalid encoding in minisign data".to_owned(),
        },
        PrebuiltError::Signature {
            archive: url.clone(),
            problem: "Signature verification failed".to_owned(),
        },
        PrebuiltError::Download(DownloadError::NoUrl {
            destination: path("model"),
        }),
        PrebuiltError::Archive(ArchiveError::UnknownFormat {
            path: path("model.rar"),
        }),
        PrebuiltError::Store(StoreError::NoHome),
        PrebuiltError::Read {
            url,
            source: not_found(),
        },
    ])
}

fn bundles() -> Vec<Sample> {
    let path = || path("models.bundle");
    each([
        BundleError::Read {
            path: path(),
            source: not_found(),
        },
        BundleError::Write {
            path: path(),
            source: full(),
        },
        BundleError::NotABundle { path: path() },
        BundleError::Newer {
            path: path(),
            version: 2,
        },
        BundleError::Damaged {
            path: path(),
            reason: "7 bytes of it are missing".to_owned(),
        },
        BundleError::Other {
            path: path(),
            expected: digest("this"),
            found: digest("that"),
        },
        BundleError::Refused {
            path: path(),
            reason: "`../x` in it cannot be written: its name leads to another folder".to_owned(),
        },
        BundleError::Unpinned {
            path: path(),
            source_spelling: "acme/model@v1".to_owned(),
            name: "blur-1.0.0".to_owned(),
        },
        BundleError::OfThisMachine {
            path: "./model".into(),
        },
        BundleError::Cancelled { path: path() },
        BundleError::Source(SourceError::NoSuchPath {
            path: "./nowhere".into(),
        }),
        BundleError::Store(StoreError::NoHome),
    ])
}

/// Of each problem a spelling that has it.
fn references() -> Vec<Sample> {
    let too_long = format!("a/{}", "b".repeat(5000));
    let spellings = [
        "",
        &too_long,
        "clip",
        "acme/mo del",
        "ftp://example.com/a",
        "https://exa$mple.com/a/b",
        "https://me:secret@example.com/a/b",
        "-acme/model",
        "acme/..",
        "https://github.com/acme/model/issues/3",
        "acme/model@a..b",
        "acme/model@a:b",
        "acme/model//../b",
        "file:///home/me/model%ff",
    ];
    let failed = |spelling: &str| Forges::default().parse(spelling).expect_err(spelling);
    let two_models = Forges::default()
        .parse_model("acme/model#small", Some("large"))
        .map(|model: ModelRef| model)
        .expect_err("two models");
    spellings
        .into_iter()
        .map(failed)
        .chain([two_models])
        .map(|error: ReferenceError| Sample {
            kind: kind::<Problem>(error.problem()),
            failure: error.into(),
        })
        .collect()
}

fn manifests() -> Vec<Sample> {
    let path = || path("model/manifest.json");
    let manifests = each([
        ManifestError::Read {
            path: path(),
            source: not_found(),
        },
        ManifestError::TooLarge {
            path: path(),
            size: 9_000_000,
            limit: 8_000_000,
        },
        ManifestError::NotUtf8 {
            path: path(),
            line: 3,
            column: 14,
        },
        ManifestError::Malformed {
            path: path(),
            line: 3,
            column: 14,
            message: "missing field `base_name`".to_owned(),
        },
    ]);
    let names = || vec!["small".to_owned(), "large".to_owned()];
    let selections = each([
        SelectError::NoModels,
        SelectError::NameNeeded { names: names() },
        SelectError::Unknown {
            name: "smal".to_owned(),
            suggestions: vec!["small".to_owned()],
            names: names(),
        },
    ]);
    joined([manifests, selections])
}

fn found_sources() -> Vec<Sample> {
    each([
        SourceError::NoSuchPath {
            path: "./nowhere".into(),
        },
        SourceError::NotAFolder {
            path: "./model.txt".into(),
        },
        SourceError::Read {
            path: path("model"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        SourceError::NoSuchSubdirectory {
            identity: identity(),
            subdirectory: "sub".to_owned(),
        },
        SourceError::NoManifest {
            identity: path("model").display().to_string(),
            path: path("model"),
        },
        SourceError::Offline {
            reference: "github.com/acme/model@v1".to_owned(),
        },
        SourceError::FolderOfThisName {
            repository: "acme/model".to_owned(),
            folder: "acme/model".into(),
            source: Box::new(SourceError::Git(GitError::NoSuchRepository { url: url() })),
        },
        SourceError::Manifest(ManifestError::Read {
            path: path("model/manifest.json"),
            source: not_found(),
        }),
        SourceError::Git(GitError::Empty { url: url() }),
        SourceError::Download(DownloadError::NoUrl {
            destination: path("store/model.zip"),
        }),
        SourceError::Extraction(ArchiveError::UnknownFormat {
            path: path("model.rar"),
        }),
        SourceError::Store(StoreError::NoHome),
    ])
}

fn packing() -> Vec<Sample> {
    each([
        PackError::Read {
            path: path("model/src"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        PackError::LeadsOut {
            path: path("model/data"),
            target: "../data".to_owned(),
        },
        PackError::Write {
            path: path("model.tar.gz"),
            source: full(),
        },
    ])
}

fn store() -> Vec<Sample> {
    each([
        StoreError::NoHome,
        StoreError::Open {
            root: path("store"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        StoreError::Write {
            path: path("store/tmp"),
            source: full(),
        },
        StoreError::Read {
            path: path("store/sources"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        StoreError::Changed {
            path: path("store/sources/a"),
            expected: digest("expected"),
            found: digest("found"),
        },
    ])
}

fn registry() -> Vec<Sample> {
    each([
        RegistryError::UnknownModel {
            name: "smal".to_owned(),
            suggestions: vec!["small".to_owned(), "smaller".to_owned()],
        },
        RegistryError::AmbiguousModel {
            name: "small".to_owned(),
            sources: vec!["acme/model".to_owned(), "other/model".to_owned()],
        },
        RegistryError::UnknownSource {
            identity: identity(),
            suggestions: Vec::new(),
        },
        RegistryError::File {
            action: "read",
            path: path("data/sources"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        RegistryError::Manifest(ManifestError::Read {
            path: path("model/manifest.json"),
            source: not_found(),
        }),
    ])
}

fn locks() -> Vec<Sample> {
    let path = || path("modelzoo.lock");
    let mismatch = || ContentMismatch {
        path: path(),
        key: SourceKey {
            identity: identity(),
            revision: Some("v1".to_owned()),
        },
        what: "the tree".to_owned(),
        expected: digest("expected"),
        found: digest("found"),
    };
    let locks = each([
        LockError::File {
            action: "read",
            path: path(),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        LockError::Invalid {
            path: path(),
            line: 3,
            message: "expected a commit".to_owned(),
        },
        LockError::Newer {
            path: path(),
            version: 9,
        },
        LockError::NoPlace,
        LockError::OfThisMachine {
            path: "/home/me/model".into(),
        },
        LockError::Missing {
            folder: "/home/me".into(),
        },
        LockError::Locked {
            path: path(),
            changes: vec![Change {
                source: identity(),
                part: None,
                before: None,
                after: Some(COMMIT.to_owned()),
            }],
        },
        LockError::Content(Box::new(mismatch())),
    ]);
    let moved = each([MovedTag {
        identity: identity(),
        tag: "v1".to_owned(),
        before: "a".repeat(40),
        now: "b".repeat(40),
        spelling: "acme/model@v1".to_owned(),
    }]);
    joined([locks, each([mismatch()]), moved])
}

fn trust() -> Vec<Sample> {
    let problem = || "unexpected text".to_owned();
    each([
        TrustError::NotTrusted(Box::new(Undecided {
            identity: identity(),
            state: TrustState::Stale,
            allowed_commit: Some(COMMIT.to_owned()),
            source: "acme/model@v2".to_owned(),
        })),
        TrustError::DeniedByPolicy {
            identity: identity(),
            entry: "github.com/acme".to_owned(),
        },
        TrustError::Denied { identity: identity() },
        TrustError::TooYoung {
            identity: identity(),
            days: 3,
            minimum_days: 14,
        },
        TrustError::UnknownAge {
            identity: identity(),
            minimum_days: 14,
        },
        TrustError::Unsigned { identity: identity() },
        TrustError::NoKey { identity: identity() },
        TrustError::BadSignature {
            identity: identity(),
            problem: problem(),
        },
        TrustError::BadKey {
            entry: identity(),
            problem: problem(),
        },
        TrustError::File {
            action: "read",
            path: path("data/trust.toml"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        TrustError::Damaged {
            path: path("data/trust.toml"),
            line: 3,
            problem: problem(),
        },
    ])
}

fn configuration() -> Vec<Sample> {
    each([
        ConfigError::Read {
            path: path("config.toml"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        ConfigError::Invalid {
            path: path("config.toml"),
            line: 2,
            column: 1,
            message: "unknown field `retrys`".to_owned(),
            suggestion: Some("retries".to_owned()),
        },
        ConfigError::Environment {
            variable: "MODELZOO_DEFAULT_DEVICE",
            value: "tpu".to_owned(),
            problem: "there is no such device".to_owned(),
        },
    ])
}
