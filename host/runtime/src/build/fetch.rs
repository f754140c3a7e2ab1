//! The first phase of a build: a copy of the source, and all crates that it needs. It may use the network, and runs nobody's
//! code.

use super::{
    BuildError, BuildRequest,
    cargo::{Cargo, CargoFailure},
    crate_folder::CrateFolder,
    dependencies, lockfile, manifest, places, profile,
    sdk::{self, SdkCrate},
    toolchain::Toolchain,
    tree,
};
use cargo_metadata::{CrateType, Metadata, Package, Target};
use fs_err as fs;
use modelzoo_base::{
    Sha256Digest, file,
    progress::{Event, Observer},
};
use std::{
    cell::OnceCell,
    io,
    path::{Path, PathBuf},
};

/// A crate that a build compiles: the plugin's own, or one that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildCrate {
    /// Its name.
    pub name: String,
    /// Where it comes from, as Cargo says it; `None` where it is a part of the source.
    pub source: Option<String>,
    /// Whether it has a build script, which runs before it is compiled.
    pub has_build_script: bool,
    /// Whether it is a library of procedural macros, which run while others are compiled.
    pub is_proc_macro: bool,
}

/// A copy of a source, where it is built.
pub(super) struct BuildCopy<'a> {
    pub(super) request: &'a BuildRequest,
    /// Where all builds are.
    pub(super) folder: &'a Path,
    pub(super) toolchain: &'a Toolchain,
    /// The copy.
    pub(super) source: PathBuf,
    /// Where it is compiled.
    pub(super) target: PathBuf,
    /// What its Cargo.lock says, as its author committed it.
    pins: String,
    pub(super) sdk: Vec<SdkCrate>,
    /// Where the crates come from that came with the source, once they are needed.
    crates: OnceCell<CrateFolder>,
    log: fs::File,
    pub(super) log_path: PathBuf,
}

/// What the first phase finds out.
pub(super) struct Fetched {
    pub(super) package: Package,
    pub(super) metadata: Metadata,
}

impl<'a> BuildCopy<'a> {
    /// Copies the source to where it is built, and adjusts its lock file to the SDK. All sources are built in the same
    /// place, and each has a folder of its own to be compiled to.
    pub(super) fn make(
        request: &'a BuildRequest,
        folder: &'a Path,
        toolchain: &'a Toolchain,
        key: &str,
    ) -> Result<Self, BuildError> {
        let sdk = sdk::unpack(&sdk_folder(folder))?;
        let name = &Sha256Digest::of(&request.identity).to_string()[..16];
        let source = places::source(folder);
        tree::copy(&request.source, request.files.as_ref(), &source)?;
        manifest::prepare(&source)?;
        sdk::show_in(&source, &sdk_folder(folder))?;
        let lock_file = source.join("Cargo.lock");
        let mut pins = String::new();
        if lock_file.exists() {
            pins = fs::read_to_string(&lock_file).map_err(BuildError::file("read", &lock_file))?;
            let adjusted = lockfile::without_sdk(&pins, &sdk);
            // Cargo completes it, also where the original is read-only.
            file::write(&lock_file, adjusted).map_err(BuildError::file("write", &lock_file))?;
        }
        let log_path = folder.join("logs").join(format!("{key}.log"));
        let log = open_log(&log_path).map_err(BuildError::file("write", &log_path))?;
        Ok(Self {
            request,
            folder,
            toolchain,
            source,
            target: folder.join("target").join(name),
            pins,
            sdk,
            crates: OnceCell::new(),
            log,
            log_path,
        })
    }

    /// The crates that compiling it takes, but for those of the SDK.
    pub(super) fn crates(&self, observer: &dyn Observer) -> Result<Vec<BuildCrate>, BuildError> {
        let Fetched { package, metadata } = self.fetch(observer)?;
        let needed = dependencies::needed(&metadata, [&package.id]);
        let sdk = self.source.join(sdk::LINK);
        let crates = metadata
            .packages
            .iter()
            .filter(|package| needed.contains(&package.id) && !package.manifest_path.starts_with(&sdk))
            .map(|package| BuildCrate {
                name: package.name.to_string(),
                source: package.source.as_ref().map(|source| source.repr.clone()),
                has_build_script: package.targets.iter().any(Target::is_custom_build),
                is_proc_macro: package.targets.iter().any(Target::is_proc_macro),
            });
        Ok(crates.collect())
    }

    /// The first phase: gets all that the crate needs, and runs nobody's code.
    pub(super) fn fetch(&self, observer: &dyn Observer) -> Result<Fetched, BuildError> {
        let cargo = self.cargo(&self.source);
        let unusable = |failure: CargoFailure| {
            failure.into_error(|reason| BuildError::Manifest {
                folder: self.request.source.clone(),
                reason,
            })
        };
        let package = cargo.describe().map_err(unusable)?;
        self.check_package(&package)?;
        observer.notice(Event::FetchingCrates);
        self.fetch_crates(&cargo).map_err(|failure| {
            failure.into_error(|reason| BuildError::Fetch {
                name: package.name.to_string(),
                reason,
                log: self.log_path.clone(),
            })
        })?;
        let metadata = self.cargo(&self.source).resolve().map_err(unusable)?;
        self.check_paths(&metadata)?;
        self.check_git(&metadata)?;
        Ok(Fetched { package, metadata })
    }

    pub(super) fn cargo<'b>(&'b self, source: &'b Path) -> Cargo<'b> {
        Cargo {
            toolchain: self.toolchain,
            folder: self.folder,
            source,
            sdk: &self.sdk,
            features: &self.request.features,
            flags: profile::rustflags(self.request.is_portable),
            crates: self.crates.get().map(CrateFolder::path),
            log: &self.log,
        }
    }

    /// Checks what can be checked before anything is fetched.
    fn check_package(&self, package: &Package) -> Result<(), BuildError> {
        let mut targets = package.targets.iter();
        if !targets.any(|target| target.crate_types.contains(&CrateType::CDyLib)) {
            return Err(self.no_library(package));
        }
        let mut features = self.request.features.iter();
        if let Some(feature) = features.find(|feature| !package.features.contains_key(*feature)) {
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

    /// Fetches what the crate needs. Pinned crates that are here already, or came with the source, need no network.
    fn fetch_crates(&self, cargo: &Cargo<'_>) -> Result<(), CargoFailure> {
        let is_offline = self.request.is_offline;
        let is_pinned = self.source.join("Cargo.lock").exists();
        if is_pinned || is_offline {
            let has_more = !is_offline || !self.request.crates.is_empty();
            match cargo.fetch(true) {
                Err(CargoFailure::Said(reason)) if has_more => {
                    tracing::debug!(reason, "the crates are not all here yet");
                }
                result => return result,
            }
            if !self.request.crates.is_empty() {
                let folder = CrateFolder::make(self.folder, &self.request.crates)?;
                let with_crates = Cargo {
                    crates: Some(folder.path()),
                    ..*cargo
                };
                match with_crates.fetch(true) {
                    Err(CargoFailure::Said(reason)) if !is_offline => {
                        tracing::debug!(
                            reason,
                            "the crates that came with the source are not all that it needs"
                        );
                    }
                    result => {
                        // It is empty until here.
                        let _ = self.crates.set(folder);
                        return result;
                    }
                }
            }
        }
        cargo.fetch(false)
    }

    /// The folders with the crates that came with the source, where they are used.
    pub(super) fn crate_folders(&self) -> Vec<&Path> {
        let stored = self.request.crates.first().and_then(|folder| folder.parent());
        let own = self.crates.get().map(CrateFolder::path);
        own.into_iter()
            .flat_map(|own| [Some(own), stored])
            .flatten()
            .collect()
    }

    /// Checks that every crate comes from a registry, from Git, from the source itself or from the SDK.
    fn check_paths(&self, metadata: &Metadata) -> Result<(), BuildError> {
        let sdk = sdk_folder(self.folder);
        let local = metadata
            .packages
            .iter()
            .filter(|package| package.source.is_none());
        for package in local {
            let manifest = package.manifest_path.as_std_path();
            let manifest_folder = fs::canonicalize(manifest).map_err(BuildError::file("find", manifest))?;
            if !manifest_folder.starts_with(&self.source) && !manifest_folder.starts_with(&sdk) {
                return Err(BuildError::PointsOutside {
                    from: self.source.join("Cargo.toml"),
                    to: manifest_folder,
                });
            }
        }
        Ok(())
    }

    /// Checks that the source's own lock file says which commit of a Git repository a crate comes from.
    fn check_git(&self, metadata: &Metadata) -> Result<(), BuildError> {
        for package in metadata.packages.iter().filter(|package| is_from_git(package)) {
            let Some(origin) = package.source.as_ref().map(|source| &source.repr) else {
                continue;
            };
            if !lockfile::has(&self.pins, &package.name, origin) {
                let origin = origin.trim_start_matches("git+").split(['#', '?']).next();
                return Err(BuildError::UnpinnedGit {
                    name: package.name.to_string(),
                    origin: origin.unwrap_or_default().to_owned(),
                });
            }
        }
        Ok(())
    }

    pub(super) fn no_library(&self, package: &Package) -> BuildError {
        BuildError::NoLibrary {
            folder: self.request.source.clone(),
            name: package.name.to_string(),
        }
    }
}

/// Whether a crate comes from a Git repository.
pub(super) fn is_from_git(package: &Package) -> bool {
    package
        .source
        .as_ref()
        .is_some_and(|source| source.repr.starts_with("git+"))
}

/// Where the SDK is, in the folder of all builds.
pub(super) fn sdk_folder(folder: &Path) -> PathBuf {
    folder.join("sdk")
}

fn open_log(path: &Path) -> io::Result<fs::File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Both we and cargo write to its end, and we read it again.
    fs::File::create(path)?;
    fs::OpenOptions::new().read(true).append(true).open(path)
}
