//! The steps of a build.

use super::{
    BuildCrate, BuildError, BuildRequest, CrateFile, compile::Compiled, fetch::BuildCopy, key, profile, sdk,
    toolchain::Toolchain,
};
use crate::{
    ArtifactRecord, BuiltPlugin, Linkage, Sandbox, SandboxReport,
    artifact::{contract, find, publish},
};
use fs_err as fs;
use modelzoo_base::progress::{Event, Observer};
use modelzoo_sandbox::{Confinement, Guard};
use std::{
    fs::TryLockError,
    path::{Path, PathBuf},
};

/// Builds plugins, and remembers what it built.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) folder: PathBuf,
    pub(super) artifacts: PathBuf,
    pub(super) guard: Option<Guard>,
}

impl Builder {
    /// A builder that works in the folder `folder` and puts what it built into the folder `artifacts`. Builders with
    /// the same folders share all that was compiled, also from different processes at once.
    pub fn new(folder: impl Into<PathBuf>, artifacts: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            artifacts: artifacts.into(),
            guard: Guard::of_this_program(),
        }
    }

    /// Names the program that is started to shut in what a build runs, and calls
    /// [`run_worker_if_asked`](crate::run_worker_if_asked) first in its `main`. Otherwise it is the running program, where
    /// that calls it.
    pub fn with_guard_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.guard = Guard::new(program);
        self
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
            return shut_in_as_asked(found, request.sandbox);
        }
        let folder = self.absolute_folder()?;
        let _lock = lock(&folder, observer)?;
        // It may have been built while this waited.
        if let Some(found) = self.published(&key) {
            return shut_in_as_asked(found, request.sandbox);
        }
        let sandbox = self.sandbox(request)?;
        let guard = self.guard.as_ref().filter(|_| request.sandbox != Sandbox::Off);
        let copy = BuildCopy::make(request, &folder, &toolchain, &key)?;
        let Compiled { library, lock_sha256 } = copy.compile(guard, observer)?;
        let linkage = Linkage::of(&library)?;
        if let Some(folder) = linkage.run_paths.first() {
            return Err(BuildError::RunPath {
                built_from: request.source.clone(),
                folder: folder.clone(),
            });
        }
        let record = ArtifactRecord {
            key,
            sha256: String::new(),
            size_bytes: 0,
            source: request.identity.clone(),
            commit: request.commit.clone(),
            source_hash: request.source_hash.clone(),
            lock_sha256,
            sdk_sha256: sdk::SHA256.to_owned(),
            toolchain: toolchain.version.clone(),
            target: toolchain.host.clone(),
            rustflags: profile::rustflags(request.is_portable).to_owned(),
            profile: profile::PROFILE.map(str::to_owned).to_vec(),
            features: request.features.clone(),
            sandbox,
            linkage,
            abi: contract().to_owned(),
            prebuilt: None,
        };
        let (artifact, record) = publish(&self.artifacts, &library, record)?;
        copy.forget()?;
        Ok(BuiltPlugin {
            artifact,
            record,
            is_new: true,
        })
    }

    /// The crates that a build of `request` compiles, with what of them runs meanwhile. They are fetched to find out,
    /// where `request` lets the network be used; nothing of them runs.
    ///
    /// # Errors
    /// When the crate cannot be built, or its crates are not here and cannot be fetched.
    pub fn crates(
        &self,
        request: &BuildRequest,
        observer: &dyn Observer,
    ) -> Result<Vec<BuildCrate>, BuildError> {
        let (key, toolchain) = self.key(request)?;
        let folder = self.absolute_folder()?;
        let _lock = lock(&folder, observer)?;
        BuildCopy::make(request, &folder, &toolchain, &key)?.crates(observer)
    }

    /// The files of all crates that a build of `request` takes, on whatever machine; they are fetched where `request` lets
    /// the network be used. Nothing of them runs.
    ///
    /// # Errors
    /// When the crate cannot be built, its crates are not here and cannot be fetched, or come from elsewhere than crates.io.
    pub fn crate_files(
        &self,
        request: &BuildRequest,
        observer: &dyn Observer,
    ) -> Result<Vec<CrateFile>, BuildError> {
        let (key, toolchain) = self.key(request)?;
        let folder = self.absolute_folder()?;
        let _lock = lock(&folder, observer)?;
        BuildCopy::make(request, &folder, &toolchain, &key)?.crate_files(observer)
    }

    /// The layers that will be around what runs in the build.
    fn sandbox(&self, request: &BuildRequest) -> Result<SandboxReport, BuildError> {
        let confinement = Confinement::of_build(request.sandbox);
        let report = match &self.guard {
            Some(guard) if request.sandbox != Sandbox::Off => {
                guard.report(&confinement).map_err(|source| BuildError::NoTool {
                    tool: "the guard of builds".to_owned(),
                    source,
                })?
            }
            _ => SandboxReport::default(),
        };
        let missing = report.missing(confinement.conduct);
        match request.sandbox {
            Sandbox::On if !missing.is_empty() => return Err(BuildError::SandboxUnavailable(missing)),
            Sandbox::Auto if !missing.is_empty() => {
                let names: Vec<&str> = missing.iter().map(|layer| layer.name()).collect();
                tracing::warn!("what runs in this build is not limited in: {}", names.join(", "));
            }
            _ => {}
        }
        Ok(report)
    }

    fn absolute_folder(&self) -> Result<PathBuf, BuildError> {
        fs::canonicalize(&self.folder).map_err(BuildError::file("find", &self.folder))
    }

    pub(super) fn key(&self, request: &BuildRequest) -> Result<(String, Toolchain), BuildError> {
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
        let (artifact, record) = find(&self.artifacts, key)?;
        Some(BuiltPlugin {
            artifact,
            record,
            is_new: false,
        })
    }
}

/// What was built where layers of the sandbox were missing is refused to who must have all of them.
fn shut_in_as_asked(found: BuiltPlugin, asked: Sandbox) -> Result<BuiltPlugin, BuildError> {
    let conduct = Confinement::of_build(asked).conduct;
    let missing = found.record.sandbox.missing(conduct);
    match asked {
        Sandbox::On if !missing.is_empty() => Err(BuildError::SandboxUnavailable(missing)),
        _ => Ok(found),
    }
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
