//! The name of an artifact: a hash over everything that decides what comes out of a build.

use super::{BuildError, BuildRequest, profile, sdk, toolchain::Toolchain};
use fs_err as fs;
use modelzoo_base::{Sandbox, digest::Sha256Hasher};
use std::io::{self, Read as _};

/// Grows when plugins must be built again although nothing that the key covers has changed.
const FORMAT: &str = "modelzoo artifact 2";

/// The key of what `request` builds with `toolchain`: 64 hexadecimal digits.
pub(super) fn of(request: &BuildRequest, toolchain: &Toolchain) -> Result<String, BuildError> {
    let lock = request.source.join("Cargo.lock");
    let lock = match fs::read(&lock) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(BuildError::file("read", &lock)(error)),
    };
    let mut features = request.features.clone();
    features.sort();
    features.dedup();
    let profile = profile::PROFILE.join("\n");
    let features = features.join("\n");
    let processor = match request.is_portable {
        true => String::new(),
        false => processor(),
    };
    let is_shut_in = (request.sandbox != Sandbox::Off).to_string();
    Ok(hash(&[
        FORMAT.as_bytes(),
        request.source_hash.as_bytes(),
        request.folder.as_bytes(),
        &lock,
        sdk::SHA256.as_bytes(),
        toolchain.version.as_bytes(),
        toolchain.host.as_bytes(),
        profile.as_bytes(),
        profile::rustflags(request.is_portable).as_bytes(),
        processor.as_bytes(),
        features.as_bytes(),
        // What was built without a sandbox is not taken for what was built in one.
        is_shut_in.as_bytes(),
    ]))
}

/// A hash over a list of parts, each with its length, so that no part can flow into the next one.
fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256Hasher::default();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finish().to_string()
}

/// What `target-cpu=native` means here: a plugin that was built for another processor may not run on this one, and
/// home folders are shared between machines.
fn processor() -> String {
    const TELLING: [&str; 6] = [
        "vendor_id",
        "cpu family",
        "model",
        "flags",
        "CPU part",
        "Features",
    ];
    let mut text = Vec::new();
    // The first of the processors tells enough; a machine can have hundreds.
    let read = fs::File::open("/proc/cpuinfo").and_then(|file| file.take(8192).read_to_end(&mut text));
    if read.is_err() {
        return std::env::consts::ARCH.to_owned();
    }
    String::from_utf8_lossy(&text)
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| {
            TELLING
                .iter()
                .any(|name| line.split(':').next().is_some_and(|key| key.trim() == *name))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(source: &std::path::Path) -> BuildRequest {
        BuildRequest::new(source, "tree", "user/repo")
    }

    #[test]
    fn the_key_covers_tree_folder_lock_features_and_toolchain() {
        let folder = tempfile::tempdir().unwrap();
        let toolchain = Toolchain {
            sysroot: "/rust".into(),
            cargo: "/rust/bin/cargo".into(),
            rustc: "/rust/bin/rustc".into(),
            version: "rustc 1.95.0".into(),
            host: "x86_64-unknown-linux-gnu".into(),
        };
        let key = |request: &BuildRequest, toolchain: &Toolchain| of(request, toolchain).unwrap();
        let plain = request(folder.path());
        let mut keys = vec![key(&plain, &toolchain)];
        assert_eq!(keys[0], key(&plain, &toolchain));
        let mut other = plain.clone();
        other.source_hash = "another tree".into();
        keys.push(key(&other, &toolchain));
        let mut other = plain.clone();
        other.folder = "other/source".into();
        keys.push(key(&other, &toolchain));
        let mut other = plain.clone();
        other.features = vec!["cuda".into()];
        keys.push(key(&other, &toolchain));
        let mut other = plain.clone();
        other.sandbox = Sandbox::Off;
        keys.push(key(&other, &toolchain));
        let mut other = plain.clone();
        other.is_portable = true;
        keys.push(key(&other, &toolchain));
        let newer = Toolchain {
            version: "rustc 1.96.0".into(),
            ..toolchain.clone()
        };
        keys.push(key(&plain, &newer));
        std::fs::write(folder.path().join("Cargo.lock"), "version = 4").unwrap();
        keys.push(key(&plain, &toolchain));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 8);
    }

    #[test]
    fn the_order_of_features_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let toolchain = Toolchain::find(folder.path()).unwrap();
        let keys = [["a", "b"], ["b", "a"]].map(|features| {
            let mut request = request(folder.path());
            request.features = features.map(str::to_owned).to_vec();
            of(&request, &toolchain).unwrap()
        });
        assert_eq!(keys[0], keys[1]);
    }

    #[test]
    fn parts_do_not_flow_into_each_other() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }
}
