//! Downloading a prebuilt plugin, and making sure that it is the right one. Nothing of it runs.
use super::{Offer, PrebuiltError, Proof};
use crate::{
    access::Access,
    archive::{ArchiveFormat, ArchiveLimits, extract},
    download::{DownloadError, Downloaded, Request},
    store::{Staging, Store},
};
use minisign_verify::{PublicKey, Signature};
use modelzoo_base::{
    Sha256Digest, Voucher,
    error::{Diagnose as _, ErrorClass},
};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// A prebuilt plugin that was downloaded and unpacked, and is the right one.
#[derive(Debug)]
pub struct FetchedPrebuilt {
    /// The folder in which the archive's files are; deleted with this value.
    pub folder: PathBuf,
    /// Where the archive was.
    pub url: String,
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// What said that it is the right one.
    pub vouched_by: Voucher,
    /// The signature, where that was a key, and not a hash.
    pub signature: Option<String>,
    /// The archive itself; deleted with this value.
    pub archive: PathBuf,
    _staging: Staging,
}

/// Downloads what `offer` names, verifies it, and unpacks it.
///
/// # Errors
/// When it cannot be had, or is not what it must be.
pub fn fetch(offer: &Offer, store: &Store, access: Access<'_>) -> Result<FetchedPrebuilt, PrebuiltError> {
    let staging = store.stage()?;
    let (expected, keys) = match &offer.proof {
        Proof::Hash { sha256, .. } => (Some(*sha256), Vec::new()),
        Proof::Signature { keys } => (None, usable(keys, offer)?),
    };
    let archive = staging.path().join(&offer.file);
    let get = |url: &str, sha256: Option<Sha256Digest>, size, destination: &Path| {
        // A bundle may have brought it. Whether it is the right one is looked at below, wherever it comes from.
        let told = store
            .download_record(url)
            .filter(|_| access.downloader.is_offline());
        let request = Request {
            urls: vec![url.to_owned()],
            sha256: sha256.or(told.map(|told| told.sha256)),
            size,
            destination: destination.to_owned(),
        };
        if let Some(there) = store.stored(&request)? {
            return Ok(Downloaded {
                url: Some(url.to_owned()),
                ..there
            });
        }
        access
            .downloader
            .fetch(&request, access.observer, access.cancellation)
    };
    let downloaded = first_of(&offer.urls, |url| get(url, expected, offer.size_bytes, &archive))?;
    let url = downloaded.url.unwrap_or_default();
    let mut signature = None;
    let vouched_by = match &offer.proof {
        Proof::Hash { said_by, .. } => said_by.clone(),
        Proof::Signature { .. } => {
            let read = |path: &Path| fs_err::read(path).map_err(unreadable(&url));
            let told = store
                .download_record(&url)
                .filter(|_| access.downloader.is_offline());
            let text = match told.and_then(|told| told.signature) {
                Some(text) => text,
                None => {
                    let signature = staging.path().join("signature");
                    get(&format!("{url}.minisig"), None, None, &signature)?;
                    String::from_utf8_lossy(&read(&signature)?).into_owned()
                }
            };
            signature = Some(text.clone());
            let key = signer(&read(&archive)?, &text, &keys).map_err(|problem| PrebuiltError::Signature {
                archive: url.clone(),
                problem,
            })?;
            Voucher::Key { key: key.to_owned() }
        }
    };
    let unpacked = staging.path().join("unpacked");
    extract(
        &archive,
        ArchiveFormat::TarGz,
        &unpacked,
        &ArchiveLimits::default(),
    )
    .map_err(|error| error.of(&url))?;
    Ok(FetchedPrebuilt {
        folder: only_folder(&unpacked).map_err(unreadable(&url))?,
        url,
        sha256: downloaded.sha256,
        vouched_by,
        signature,
        archive,
        _staging: staging,
    })
}

/// What the first URL gives that has the archive. The others may be of another kind of forge: what they lack says nothing,
/// so the error is that of the first, or of the one that has something else under the name.
fn first_of(
    urls: &[String],
    get: impl Fn(&str) -> Result<Downloaded, DownloadError>,
) -> Result<Downloaded, DownloadError> {
    let mut first = None;
    for url in urls {
        match get(url) {
            Err(error) if error.class() != ErrorClass::Integrity => {
                first.get_or_insert(error);
            }
            result => return result,
        }
    }
    Err(first.unwrap_or(DownloadError::NoUrl {
        destination: PathBuf::new(),
    }))
}

/// The keys among `keys` that are some; an error where none is, which is the author's mistake: the user's own are looked at
/// before.
fn usable<'a>(keys: &'a [String], offer: &Offer) -> Result<Vec<(&'a str, PublicKey)>, PrebuiltError> {
    let mut found = Vec::new();
    let mut bad = None;
    for text in keys {
        match PublicKey::from_base64(text.trim()) {
            Ok(key) => found.push((text.trim(), key)),
            Err(error) => bad = Some((text, error.to_string())),
        }
    }
    match bad {
        Some((key, problem)) if found.is_empty() => Err(PrebuiltError::BadKey {
            archive: offer.file.clone(),
            key: key.trim().chars().take(80).collect(),
            problem,
        }),
        _ => Ok(found),
    }
}

/// The key of `keys` whose signature of `content` the text is; else why it is none.
fn signer<'a>(content: &[u8], signature: &str, keys: &[(&'a str, PublicKey)]) -> Result<&'a str, String> {
    let said = |error: &dyn fmt::Display| error.to_string();
    let signature = Signature::decode(signature).map_err(|error| said(&error))?;
    let mut problem = String::new();
    for (text, key) in keys {
        // Only signatures of the content's hash, which minisign makes by default, are accepted.
        match key.verify(content, &signature, false) {
            Ok(()) => return Ok(text),
            Err(error) => problem = said(&error),
        }
    }
    Err(problem)
}

/// The folder in which everything lies, or the one in which the files are.
fn only_folder(unpacked: &Path) -> io::Result<PathBuf> {
    let mut entries = fs_err::read_dir(unpacked)?;
    match (entries.next().transpose()?, entries.next()) {
        (Some(only), None) if only.path().is_dir() => Ok(only.path()),
        _ => Ok(unpacked.to_owned()),
    }
}

fn unreadable(url: &str) -> impl Fn(io::Error) -> PrebuiltError + use<> {
    let url = url.to_owned();
    move |source| PrebuiltError::Read {
        url: url.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minisign::KeyPair;

    #[test]
    fn one_of_the_keys_has_to_have_signed() {
        let [author, other] = [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap());
        let sign = |content: &[u8]| {
            minisign::sign(None, &author.sk, content, None, None)
                .unwrap()
                .into_string()
        };
        let [own, foreign] = [&author, &other].map(|pair| pair.pk.to_base64());
        let offer = Offer {
            variant: "cpu".to_owned(),
            file: "model-x-cpu.tar.gz".to_owned(),
            urls: Vec::new(),
            size_bytes: None,
            proof: Proof::Signature { keys: Vec::new() },
        };
        let none = ["no key".to_owned()];
        let keys = [foreign.clone(), none[0].clone(), own.clone()];
        let keys = usable(&keys, &offer).unwrap();
        assert_eq!(signer(b"library", &sign(b"library"), &keys), Ok(own.as_str()));
        assert!(signer(b"another", &sign(b"library"), &keys).is_err());
        assert!(signer(b"library", &sign(b"library"), &keys[..1]).is_err());
        assert!(signer(b"library", "no signature", &keys).is_err());
        let error = usable(&none, &offer).unwrap_err();
        assert!(
            matches!(&error, PrebuiltError::BadKey { key, .. } if key == "no key"),
            "{error}"
        );
    }
}
