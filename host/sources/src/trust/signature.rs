//! Signatures of sources, by minisign.
//!
//! A source bears its signature in the file `modelzoo.minisig` at the root of its tree. What is signed is a text, one
//! line, with the hash of the tree without that file, so that the signature can be part of what it signs.
use super::{SIGNATURE_FILE, Subject, TrustError, pattern};
use crate::{
    config::TrustPolicy,
    source::{PackError, Packing},
    tree::hash_folder,
};
use minisign_verify::{PublicKey, Signature};
use modelzoo_base::Sha256Digest;
use std::{io, path::Path};

/// The text that the author of the source in `folder` signs before it is published. `folder` is the root of what is
/// published; what Git ignores, Git's own files and what Cargo built are no part of it.
///
/// # Errors
/// As for [`Packing::of`]; also when a file cannot be read.
pub fn message_to_sign(folder: &Path) -> Result<String, PackError> {
    let published = Packing::of(folder, &folder.join(SIGNATURE_FILE))?;
    Ok(message(published.tree_hash()?))
}

/// The text whose signature the published tree in `root` has to bear. All that is there counts: nothing could run
/// unsigned because Git would ignore it.
fn signed_message(root: &Path) -> io::Result<String> {
    let signature = root.join(SIGNATURE_FILE);
    Ok(message(hash_folder(root, &|path| path == signature)?))
}

fn message(tree: Sha256Digest) -> String {
    format!("modelzoo source sha256:{tree}\n")
}

/// The entry of the policy's keys that counts for a source, and its key.
pub(crate) fn key_for<'a>(identity: &str, policy: &'a TrustPolicy) -> Option<(&'a str, &'a str)> {
    let keys = policy.keys.iter();
    keys.filter(|(entry, _)| pattern::covers_any_case(entry, identity))
        .max_by_key(|(entry, _)| pattern::exactness(entry))
        .map(|(entry, key)| (entry.as_str(), key.as_str()))
}

/// That the tree bears the signature that the policy asks for, if it does.
pub(super) fn check(subject: &Subject<'_>, policy: &TrustPolicy) -> Result<(), TrustError> {
    let identity = || subject.identity.to_owned();
    let Some((entry, key)) = key_for(subject.identity, policy) else {
        return if policy.require_signature {
            Err(TrustError::NoKey { identity: identity() })
        } else {
            Ok(())
        };
    };
    let key = PublicKey::from_base64(key.trim()).map_err(|error| TrustError::BadKey {
        entry: entry.to_owned(),
        problem: error.to_string(),
    })?;
    let path = subject.root.join(SIGNATURE_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(TrustError::Unsigned { identity: identity() });
        }
        Err(error) => return Err(TrustError::file("read", &path)(error)),
    };
    let bad = |error: minisign_verify::Error| TrustError::BadSignature {
        identity: identity(),
        problem: error.to_string(),
    };
    let signature = Signature::decode(&text).map_err(bad)?;
    let message = signed_message(subject.root).map_err(TrustError::file("read", subject.root))?;
    // Only signatures of the message's hash, which minisign makes by default, are accepted.
    key.verify(message.as_bytes(), &signature, false).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{ArchiveFormat, ArchiveLimits, extract};
    use std::fs;

    #[test]
    fn what_an_author_signs_is_what_users_verify() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("source");
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("src/lib.rs"), "// code").unwrap();
        let message = message_to_sign(&root).unwrap();
        assert_eq!(message, signed_message(&root).unwrap());

        // What an author's folder has besides.
        for (path, content) in [
            (".git/HEAD", "ref"),
            ("Cargo.toml", ""),
            ("target/lib.so", "built"),
            ("notes.log", "noise"),
            (".gitignore", "*.log"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let message = message_to_sign(&root).unwrap();
        fs::write(root.join(SIGNATURE_FILE), "signature").unwrap();
        assert_eq!(message, message_to_sign(&root).unwrap());
        let archive = folder.path().join("source-1.0.0.tar.gz");
        let packing = Packing::of(&root, &archive).unwrap();
        packing.write(&archive, "source-1.0.0").unwrap();
        let published = folder.path().join("published");
        let format = ArchiveFormat::TarGz;
        extract(&archive, format, &published, &ArchiveLimits::default()).unwrap();
        assert_eq!(message, signed_message(&published.join("source-1.0.0")).unwrap());
    }
}
