//! The steps of a build.

use super::{
    ArtifactRecord, BuildError, BuildRequest,
    cargo::{Cargo, CargoFailure},
    key, lockfile, manifest, profile, publish,
    sdk::{self, SdkCrate},
    toolchain::Toolchain,
    tree,
};
use crate::Artifact;
use cargo_metadata::{CrateType, Metadata, Package};
use fs_err as fs;
use modelzoo_base::{
    Sha256Digest, file,
    progress::{Event, Observer},
};
use std::{
    fs::TryLockError,
    io,
    path::{Path, PathBuf},
};

/// Builds plugins, and remembers what it built.
#[derive(Clone, Debug)]
pub struct Builder {
    folder: PathBuf,
    artifacts: PathBuf,
}

/// A plugin that is ready to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltPlugin {
    /// The library.
    pub artifact: Artifact,
    /// Where it comes from and how it was built.
    pub record: ArtifactRecord,
    /// Whether it was built just now, and not found.
    pub is_new: bool,
}

impl Builder {
    /// A builder that works in the folder `folder` and puts what it built into the folder `artifacts`. Builders with
    /// the same folders share all that was compiled, also from different processes at once.
    pub fn new(folder: impl Into<PathBuf>, artifacts: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            artifacts: artifacts.into(),
        }
    }

    /// Finds what `request` asks for, if it was built before. Takes milliseconds.
    ///
    /// # Errors
    /// When there is no crate to build, or no toolchain to build it with.
    pub fn find(&self, request: &BuildRequest) -> Result<Option<BuiltPlugin>, BuildError> {
        let (key, _) = self.key(request)?;
        Ok(self.published(&key))
    }

    /// Finds what `request` asks for, or builds it.
    ///
    /// # Errors
    /// When the crate cannot be built; the error shows what cargo says.
    pub fn build(&self, request: &BuildRequest, observer: &dyn Observer) -> Result<BuiltPlugin, BuildError> {
        let (key, toolchain) = self.key(request)?;
        if let Some(found) = self.published(&key) {
            return Ok(found);
        }
        let folder = fs::canonicalize(&self.folder).map_err(BuildError::file("find", &self.folder))?;
        let _lock = lock(&folder, observer)?;
        // It may have been built while this waited.
        if let Some(found) = self.published(&key) {
            return Ok(found);
        }
        let (library, lock_sha256) = compile(request, &folder, &toolchain, &key, observer)?;
        let record = ArtifactRecord {
            key,
            sha256: String::new(),
            size_bytes: 0,
            source: request.identity.clone(),
            commit: request.commit.clone(),
            source_hash: request.source_hash.clone(),
            lock_sha256,
            sdk_sha256: sdk::SHA256.to_owned(),
            toolchain: toolchain.version,
            target: toolchain.host,
            rustflags: profile::RUSTFLAGS.to_owned(),
            profile: profile::PROFILE.map(str::to_owned).to_vec(),
            features: request.features.clone(),
        };
        let (artifact, record) = publish::publish(&self.artifacts, &library, record)?;
        Ok(BuiltPlugin {
            artifact,
            record,
            is_new: true,
        })
    }

    fn key(&self, request: &BuildRequest) -> Result<(String, Toolchain), BuildError> {
        if !request.source.join("Cargo.toml").is_file() {
            return Err(BuildError::NoCrate {
                folder: request.source.clone(),
                is_python: request.source.join("__init__.py").exists(),
            });
        }
        fs::create_dir_all(&self.folder).map_err(BuildError::file("create", &self.folder))?;
        let toolchain = Toolchain::find(&self.folder)?;
        Ok((key::of(request, &toolchain)?, toolchain))
    }

    fn published(&self, key: &str) -> Option<BuiltPlugin> {
        let (artifact, record) = publish::find(&self.artifacts, key)?;
        Some(BuiltPlugin {
            artifact,
            record,
            is_new: false,
        })
    }
}

/// Compiles a copy of the source: first the phase with network, then the one that runs other people's code. Gives the
/// library, and the hash of the lock file that it was built with.
fn compile(
    request: &BuildRequest,
    folder: &Path,
    toolchain: &Toolchain,
    key: &str,
    observer: &dyn Observer,
) -> Result<(PathBuf, String), BuildError> {
    let sdk_folder = folder.join("sdk");
    let sdk = sdk::unpack(&sdk_folder)?;
    let source = prepare(request, folder, &sdk)?;
    let log_path = folder.join("logs").join(format!("{key}.log"));
    let log = open_log(&log_path).map_err(BuildError::file("write", &log_path))?;
    let cargo = Cargo {
        toolchain,
        folder,
        source: &source,
        sdk: &sdk,
        features: &request.features,
        log: &log,
    };
    let unusable = |failure: CargoFailure| {
        failure.into_error(|reason| BuildError::Manifest {
            folder: request.source.clone(),
            reason,
        })
    };
    let package = cargo.describe().map_err(unusable)?;
    let name = package.name.to_string();
    check_package(&package, request)?;

    observer.notice(Event::FetchingCrates);
    fetch(&cargo, request, &source).map_err(|failure| {
        failure.into_error(|reason| BuildError::Fetch {
            name: name.clone(),
            reason,
            log: log_path.clone(),
        })
    })?;
    let metadata = cargo.resolve().map_err(unusable)?;
    check_paths(&metadata, &source, &sdk_folder)?;

    let target_folder = folder.join("target").join(profile::id(toolchain));
    let library = cargo
        .build(&target_folder, &metadata, observer)
        .map_err(|failure| {
            failure.into_error(|reason| BuildError::Compile {
                name,
                reason,
                log: log_path,
            })
        })?;
    let library = library.ok_or_else(|| no_library(&package, request))?;
    let lock_file = source.join("Cargo.lock");
    let lock = fs::read(&lock_file).map_err(BuildError::file("read", &lock_file))?;
    Ok((library, Sha256Digest::of(&lock).to_string()))
}

/// Waits until no other process builds in `folder`. The lock ends with the file that this gives.
fn lock(folder: &Path, observer: &dyn Observer) -> Result<std::fs::File, BuildError> {
    let path = folder.join("lock");
    let take = || {
        let file = std::fs::File::create(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                observer.notice(Event::Waiting { path: folder });
                file.lock()?;
            }
            // Where files cannot be locked, cargo's own lock still keeps builds apart.
            Err(TryLockError::Error(error)) => tracing::debug!(%error, "cannot lock the build folder"),
        }
        Ok(file)
    };
    take().map_err(BuildError::file("lock", &path))
}

/// Copies the source to where it is built, and adjusts its lock file to the SDK. A source keeps its place, so that
/// its next version replaces it there.
fn prepare(request: &BuildRequest, folder: &Path, sdk: &[SdkCrate]) -> Result<PathBuf, BuildError> {
    let source = folder
        .join("sources")
        .join(&Sha256Digest::of(&request.identity).to_string()[..16]);
    tree::copy(&request.source, &source)?;
    manifest::prepare(&source)?;
    let lock_file = source.join("Cargo.lock");
    if lock_file.exists() {
        let text = fs::read_to_string(&lock_file).map_err(BuildError::file("read", &lock_file))?;
        let adjusted = lockfile::without_sdk(&text, sdk);
        // Cargo completes it, also where the original is read-only.
        file::write(&lock_file, adjusted).map_err(BuildError::file("write", &lock_file))?;
    }
    Ok(source)
}

fn open_log(path: &Path) -> io::Result<fs::File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Both we and cargo write to its end, and we read it again.
    fs::File::create(path)?;
    fs::OpenOptions::new().read(true).append(true).open(path)
}

/// Checks what can be checked before anything is fetched.
fn check_package(package: &Package, request: &BuildRequest) -> Result<(), BuildError> {
    let mut targets = package.targets.iter();
    if !targets.any(|target| target.crate_types.contains(&CrateType::CDyLib)) {
        return Err(no_library(package, request));
    }
    if let Some(feature) = request
        .features
        .iter()
        .find(|feature| !package.features.contains_key(*feature))
    {
        return Err(BuildError::NoFeature {
            name: package.name.to_string(),
            feature: feature.clone(),
            available: package
                .features
                .keys()
                .filter(|name| *name != "default")
                .cloned()
                .collect(),
        });
    }
    Ok(())
}

/// Fetches what the crate needs. Pinned crates that are here already need no network.
fn fetch(cargo: &Cargo<'_>, request: &BuildRequest, source: &Path) -> Result<(), CargoFailure> {
    let is_pinned = source.join("Cargo.lock").exists();
    if is_pinned || request.is_offline {
        match cargo.fetch(true) {
            Err(CargoFailure::Said(reason)) if !request.is_offline => {
                tracing::debug!(reason, "the crates are not all here yet");
            }
            result => return result,
        }
    }
    cargo.fetch(false)
}

/// Checks that every crate comes from a registry, from Git, from the source itself or from the SDK.
fn check_paths(metadata: &Metadata, source: &Path, sdk: &Path) -> Result<(), BuildError> {
    let local = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_none());
    for package in local {
        let manifest = package.manifest_path.as_std_path();
        let manifest_folder = fs::canonicalize(manifest).map_err(BuildError::file("find", manifest))?;
        if !manifest_folder.starts_with(source) && !manifest_folder.starts_with(sdk) {
            return Err(BuildError::PointsOutside {
                from: source.join("Cargo.toml"),
                to: manifest_folder,
            });
        }
    }
    Ok(())
}

fn no_library(package: &Package, request: &BuildRequest) -> BuildError {
    BuildError::NoLibrary {
        folder: request.source.clone(),
        name: package.name.to_string(),
    }
}
