//! The second phase of a build, which runs other people's code: shut in, first for what the source shares with others, and
//! then for the source itself.

use super::{
    BuildError,
    cargo::{Cargo, CargoFailure},
    dependencies,
    fetch::{BuildCopy, Fetched, is_from_git, sdk_folder},
    places::Places,
    scratch::Scratch,
    sdk,
    shelter::Shelter,
    target::{self, SharedTarget},
};
use cargo_metadata::{Artifact, Metadata, Package};
use fs_err as fs;
use modelzoo_base::{
    Sha256Digest,
    progress::{Event, Observer},
};
use modelzoo_sandbox::Guard;
use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

/// What compiling gives.
pub(super) struct Compiled {
    /// The library.
    pub(super) library: PathBuf,
    /// The hash of the lock file that it was built with.
    pub(super) lock_sha256: String,
}

impl BuildCopy<'_> {
    /// Compiles it, first what it shares with other sources, shut in by `guard`.
    pub(super) fn compile(
        &self,
        guard: Option<&Guard>,
        observer: &dyn Observer,
    ) -> Result<Compiled, BuildError> {
        let Fetched { package, metadata } = self.fetch(observer)?;
        let needed = dependencies::needed(&metadata, [&package.id]);
        let mut done = HashSet::new();
        let mut made = |artifact: &Artifact| {
            if needed.contains(&artifact.package_id) && done.insert(artifact.package_id.clone()) {
                observer.notice(Event::Building {
                    name: &artifact.target.name,
                    done: done.len() as u64,
                    total: needed.len() as u64,
                });
            }
        };
        let scratch = Scratch::new(self.folder, metadata.packages.iter().any(is_from_git))?;
        let is_portable = self.request.is_portable;
        let places = Places::of(self.folder, &scratch, self.toolchain, &metadata);
        let mut shared = SharedTarget::open(self.folder, &places.id(self.toolchain, is_portable))?;
        let (sdk, shared_folder) = (sdk_folder(self.folder), shared.folder().to_owned());
        let flags = places.flags(is_portable, &shared_folder);
        let cargo = Cargo {
            flags: &flags,
            ..self.cargo(&self.source)
        };
        let crate_folders = self.crate_folders();
        let shelter = |shared, target, place| Shelter {
            guard,
            sandbox: self.request.sandbox,
            scratch: &scratch,
            sdk: &sdk,
            crates: &crate_folders,
            shared,
            target,
            place,
        };
        let failed = |failure: CargoFailure| {
            failure.into_error(|reason| BuildError::Compile {
                name: package.name.to_string(),
                reason,
                log: self.log_path.clone(),
                is_shut_in: guard.is_some(),
            })
        };
        let stand_in = scratch.folder().join("shared");
        if let Some(name) = self.describe_shared(&stand_in, &package, &metadata)?
            && !shared.has(&name)
        {
            let shelter = shelter(None, &shared_folder, &shared_folder);
            let is_new = self
                .compile_shared(&cargo, &stand_in, &metadata, &shelter, &mut made)
                .map_err(failed)?;
            shared.note(name, is_new)?;
        }
        shared.show_in(&self.target)?;
        let place = scratch.target();
        scratch
            .lead_to(&self.target)
            .map_err(BuildError::file("write", &place))?;
        let shelter = shelter(Some(&shared_folder), &self.target, &place);
        let library = cargo.build(&shelter, &package.id, &mut made).map_err(failed)?;
        let library = library.ok_or_else(|| self.no_library(&package))?;
        let library = self.own_library(&library).map_err(|source| BuildError::File {
            action: "read",
            path: library,
            source,
        })?;
        let lock_file = self.source.join("Cargo.lock");
        let lock = fs::read(&lock_file).map_err(BuildError::file("read", &lock_file))?;
        Ok(Compiled {
            library,
            lock_sha256: Sha256Digest::of(&lock).to_string(),
        })
    }

    /// Deletes what was compiled, unless the source is a folder that somebody is working in: its next build would
    /// compile everything again that no other source has.
    pub(super) fn forget(&self) -> Result<(), BuildError> {
        if self.request.commit.is_some() {
            target::remove(&self.target).map_err(BuildError::file("delete", &self.target))?;
        }
        Ok(())
    }

    /// Writes the crate of what the source shares with others into `folder`, and names it; `None` where there is nothing.
    fn describe_shared(
        &self,
        folder: &Path,
        package: &Package,
        metadata: &Metadata,
    ) -> Result<Option<String>, BuildError> {
        let text = dependencies::write(folder, &self.source, package, metadata, &self.sdk)
            .map_err(BuildError::file("write", folder))?;
        let Some(text) = text else {
            return Ok(None);
        };
        sdk::show_in(folder, &sdk_folder(self.folder))?;
        let lock_file = folder.join("Cargo.lock");
        let lock = fs::read_to_string(&lock_file).map_err(BuildError::file("read", &lock_file))?;
        let features = self.request.features.join(",");
        Ok(Some(
            Sha256Digest::of([sdk::SHA256, &text, &lock, &features].join("\0")).to_string(),
        ))
    }

    /// Compiles the crate in `folder`, and tells whether anything was compiled that had not been before. A crate that
    /// cannot be made of the source's pins is passed over: the source then compiles all by itself. Meanwhile the crate is
    /// where the source is otherwise: cargo tells the crates of the SDK by that.
    fn compile_shared(
        &self,
        cargo: &Cargo<'_>,
        folder: &Path,
        metadata: &Metadata,
        shelter: &Shelter<'_>,
        made: &mut dyn FnMut(&Artifact),
    ) -> Result<bool, CargoFailure> {
        let aside = folder.with_extension("aside");
        fs::rename(&self.source, &aside)?;
        fs::rename(folder, &self.source)?;
        let compiled = Self::compile_in_place(cargo, metadata, shelter, made);
        fs::rename(&self.source, folder)?;
        fs::rename(&aside, &self.source)?;
        compiled
    }

    fn compile_in_place(
        cargo: &Cargo<'_>,
        metadata: &Metadata,
        shelter: &Shelter<'_>,
        made: &mut dyn FnMut(&Artifact),
    ) -> Result<bool, CargoFailure> {
        let resolved = cargo.resolve_and_tidy().and_then(|resolved| {
            let root = cargo.root(&resolved)?.id.clone();
            let ids: HashSet<_> = metadata.packages.iter().map(|package| &package.id).collect();
            let is_same = |package: &Package| package.id == root || ids.contains(&package.id);
            Ok(resolved.packages.iter().all(is_same).then_some(root))
        });
        let root = match resolved {
            Ok(Some(root)) => root,
            Ok(None) => return Ok(false),
            Err(CargoFailure::Said(reason)) => {
                tracing::debug!(reason, "nothing is shared with other sources");
                return Ok(false);
            }
            Err(failure) => return Err(failure),
        };
        let mut is_new = false;
        cargo.build(shelter, &root, &mut |artifact| {
            is_new |= !artifact.fresh && artifact.package_id != root;
            made(artifact);
        })?;
        Ok(is_new)
    }

    /// The library that cargo names, whose word is not enough: the code that ran in the build can speak in its place.
    fn own_library(&self, named: &Path) -> io::Result<PathBuf> {
        let (library, target) = (fs::canonicalize(named)?, fs::canonicalize(&self.target)?);
        if !library.starts_with(target) || !library.is_file() {
            return Err(io::Error::other("it is no file of this build"));
        }
        Ok(library)
    }
}
