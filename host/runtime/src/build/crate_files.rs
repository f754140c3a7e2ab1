//! The crates of a source on their way to another machine: found where cargo has fetched them.

use super::{BuildError, cargo::CargoFailure, fetch::BuildCopy, scratch::users_home};
use fs_err as fs;
use modelzoo_base::{Sha256Digest, progress::Observer};
use semver::Version;
use std::{
    io,
    path::{Path, PathBuf},
};
use toml_edit::{DocumentMut, Table};

/// Where crates come from that are pinned by their hash.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The file of a crate, as crates.io has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrateFile {
    /// The crate.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The file in cargo's own folder.
    pub path: PathBuf,
}

impl BuildCopy<'_> {
    /// The files of all crates that building it takes, on whatever machine. Nothing of them runs.
    pub(super) fn crate_files(&self, observer: &dyn Observer) -> Result<Vec<CrateFile>, BuildError> {
        let fetched = self.fetch(observer)?;
        let failed = |failure: CargoFailure| {
            failure.into_error(|reason| BuildError::Fetch {
                name: fetched.package.name.to_string(),
                reason,
                log: self.log_path.clone(),
            })
        };
        // A machine that cannot look up what another target needs wants to see all of it.
        self.cargo(&self.source)
            .fetch_for(None, self.request.is_offline)
            .map_err(failed)?;
        let lock_file = self.source.join("Cargo.lock");
        let lock = fs::read_to_string(&lock_file).map_err(BuildError::file("read", &lock_file))?;
        // Cargo wrote it.
        let lock: DocumentMut = lock
            .parse()
            .map_err(|error| BuildError::file("read", &lock_file)(io::Error::other(error)))?;
        let packages = lock.get("package").and_then(|item| item.as_array_of_tables());
        let caches = caches().map_err(BuildError::file("read", Path::new("cargo's home")))?;
        packages
            .into_iter()
            .flatten()
            .filter_map(|package| crate_file(package, &caches).transpose())
            .collect()
    }
}

/// The file of a package of a lock file; `None` for one that is a part of the source or of the SDK.
fn crate_file(package: &Table, caches: &[PathBuf]) -> Result<Option<CrateFile>, BuildError> {
    let text = |key| package.get(key).and_then(|item| item.as_str());
    let Some(origin) = text("source") else {
        return Ok(None);
    };
    let name = text("name").unwrap_or_default().to_owned();
    let elsewhere = || BuildError::CrateElsewhere {
        name: name.clone(),
        origin: origin
            .trim_start_matches("git+")
            .split(['#', '?'])
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    let checksum = text("checksum").and_then(|checksum| checksum.parse::<Sha256Digest>().ok());
    let version = text("version").and_then(|version| Version::parse(version).ok());
    let (Some(checksum), Some(version), CRATES_IO) = (checksum, version, origin) else {
        return Err(elsewhere());
    };
    let file = format!("{name}-{version}.crate");
    let path = caches
        .iter()
        .map(|cache| cache.join(&file))
        .find(|path| path.is_file() && Sha256Digest::of_file(path).is_ok_and(|found| found == checksum));
    match path {
        Some(path) => Ok(Some(CrateFile { name, version, path })),
        None => Err(BuildError::NoCrateFile { file }),
    }
}

/// Where cargo keeps what it fetched of registries.
fn caches() -> io::Result<Vec<PathBuf>> {
    let Some(home) = users_home() else {
        return Ok(Vec::new());
    };
    let cache = home.join("registry/cache");
    if !cache.is_dir() {
        return Ok(Vec::new());
    }
    fs::read_dir(cache)?.map(|entry| Ok(entry?.path())).collect()
}
