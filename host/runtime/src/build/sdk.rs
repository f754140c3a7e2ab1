//! The SDK: the API crates that plugins are built against, which are a part of the host.

use super::{BuildError, scratch::link};
use fs_err as fs;
use modelzoo_base::file::AtomicFolder;
use semver::Version;
use std::{
    io,
    path::{Path, PathBuf},
};

/// The hash of all that is in it.
pub(super) const SHA256: &str = env!("MODELZOO_SDK_SHA256");

/// Where a crate that is built shows the SDK. Cargo tells crates below another one by their places in it, and all others
/// by where they are on the machine. Its files have no times, so that a part of the hash is what tells cargo to compile
/// another SDK of the same versions anew.
pub(super) const LINK: &str = env!("MODELZOO_SDK_LINK");

/// The crates of the SDK and their folders in it.
const CRATES: [(&str, &str); 4] = [
    ("modelzoo-abi", "abi"),
    ("modelzoo-plugin-api", "."),
    ("modelzoo-candle", "candle"),
    ("modelzoo-kernels", "kernels"),
];

static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sdk.tar.gz"));

/// A crate of the unpacked SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdkCrate {
    /// By which plugins depend on it.
    pub name: &'static str,
    /// What this host has of it.
    pub version: Version,
    /// Where it was unpacked to.
    pub folder: PathBuf,
    /// Where it is in the SDK.
    place: &'static str,
}

impl SdkCrate {
    /// Where it shows in the crate in the folder `root`.
    pub(super) fn shown_in(&self, root: &Path) -> PathBuf {
        root.join(LINK).join(self.place)
    }

    /// One that is nowhere.
    #[cfg(test)]
    pub(super) fn named(name: &'static str, version: Version) -> Self {
        Self {
            name,
            version,
            folder: PathBuf::from("/sdk"),
            place: ".",
        }
    }
}

/// Shows the SDK that was unpacked into `folder` in the crate in the folder `root`.
pub(super) fn show_in(root: &Path, folder: &Path) -> Result<(), BuildError> {
    let at = root.join(LINK);
    (|| {
        // A source may come with something of that name.
        match fs::symlink_metadata(&at) {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&at)?,
            Ok(_) => fs::remove_file(&at)?,
            Err(_) => fs::create_dir_all(at.parent().unwrap_or(root))?,
        }
        link(&folder.join(&SHA256[..16]), &at)
    })()
    .map_err(BuildError::file("write", &at))
}

/// Unpacks the API crates that this host builds plugins against into a folder below `folder` that is named by their
/// content, where it is not there yet.
///
/// # Errors
/// When the files cannot be written.
pub fn unpack(folder: &Path) -> Result<Vec<SdkCrate>, BuildError> {
    let target = folder.join(&SHA256[..16]);
    if !target.is_dir() {
        let unpacked = AtomicFolder::create(&target).map_err(BuildError::output)?;
        tar::Archive::new(flate2::read::GzDecoder::new(ARCHIVE))
            .unpack(unpacked.path())
            .map_err(BuildError::file("unpack the SDK into", unpacked.path()))?;
        match unpacked.commit() {
            Ok(()) => {}
            // Another process was faster.
            Err(_) if target.is_dir() => {}
            Err(error) => return Err(BuildError::output(error)),
        }
    }
    CRATES
        .iter()
        .map(|&(name, place)| {
            let folder = target.join(place);
            let manifest = folder.join("Cargo.toml");
            let version = version(&manifest).map_err(BuildError::file("read", &manifest))?;
            Ok(SdkCrate {
                name,
                version,
                folder,
                place,
            })
        })
        .collect()
}

fn version(manifest: &Path) -> io::Result<Version> {
    let text = fs::read_to_string(manifest)?;
    let manifest: toml_edit::DocumentMut = text.parse().map_err(io::Error::other)?;
    let version = manifest["package"]["version"].as_str().unwrap_or_default();
    Version::parse(version).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sdk_is_another_crate_to_cargo() {
        assert_eq!(LINK, format!(".modelzoo/sdk-{}", &SHA256[..16]));
    }

    #[test]
    fn the_sdk_holds_its_crates_and_is_unpacked_once() {
        let folder = tempfile::tempdir().unwrap();
        let crates = unpack(folder.path()).unwrap();
        let abi = crates.iter().find(|one| one.name == "modelzoo-abi").unwrap();
        assert_eq!(abi.version, Version::new(1, 0, abi.version.patch));
        for one in &crates {
            assert!(one.folder.join("src/lib.rs").is_file(), "{}", one.name);
        }
        let marker = crates[0].folder.join("marker");
        std::fs::write(&marker, "").unwrap();
        assert_eq!(unpack(folder.path()).unwrap(), crates);
        assert!(marker.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
