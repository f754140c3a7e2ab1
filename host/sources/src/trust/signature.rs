//! Signatures of sources, by minisign.
//!
//! A source bears its signature in the file `modelzoo.minisig` at the root of its tree. What is signed is a text with the
//! hash of the tree without that file, so that the signature can be part of what it signs.
use std::io;
use std::path::Path;

use minisign_verify::{PublicKey, Signature};

use super::{Subject, TrustError, pattern};
use crate::config::TrustPolicy;
use crate::tree::hash_folder;

/// The name of the signature's file.
pub const SIGNATURE_FILE: &str = "modelzoo.minisig";

/// The text whose signature the tree in `root` has to bear: one line, with the hash of the tree without the signature.
pub fn signed_message(root: &Path) -> io::Result<String> {
    let signature = root.join(SIGNATURE_FILE);
    let hash = hash_folder(root, &|path| path == signature)?;
    Ok(format!("modelzoo source sha256:{hash}\n"))
}

/// That the tree bears the signature that the policy asks for, if it does.
pub(super) fn check(subject: &Subject<'_>, policy: &TrustPolicy) -> Result<(), TrustError> {
    let identity = || subject.identity.to_owned();
    let key = policy
        .keys
        .iter()
        .filter(|(entry, _)| pattern::covers_any_case(entry, subject.identity))
        .max_by_key(|(entry, _)| pattern::exactness(entry));
    let Some((entry, key)) = key else {
        return if policy.require_signature {
            Err(TrustError::NoKey { identity: identity() })
        } else {
            Ok(())
        };
    };
    let key = PublicKey::from_base64(key.trim()).map_err(|error| TrustError::BadKey {
        entry: entry.clone(),
        problem: error.to_string(),
    })?;
    let path = subject.root.join(SIGNATURE_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(TrustError::Unsigned { identity: identity() });
        }
        Err(source) => {
            return Err(TrustError::File {
                action: "read",
                path,
                source,
            });
        }
    };
    let bad = |error: minisign_verify::Error| TrustError::BadSignature {
        identity: identity(),
        problem: error.to_string(),
    };
    let signature = Signature::decode(&text).map_err(bad)?;
    let message = signed_message(subject.root).map_err(|source| TrustError::File {
        action: "read",
        path: subject.root.to_owned(),
        source,
    })?;
    // Only signatures of the message's hash, which minisign makes by default, are accepted.
    key.verify(message.as_bytes(), &signature, false).map_err(bad)
}
