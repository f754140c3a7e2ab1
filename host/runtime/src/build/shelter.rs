//! How the second phase of a build is shut in: it reads the toolchain, the crates that were fetched, the SDK and the
//! source, and writes where it compiles to.

use super::{environment, scratch::Scratch, toolchain::Toolchain};
use modelzoo_base::Sandbox;
use modelzoo_sandbox::{Confinement, Guard};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Where a build is shut in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shelter<'a> {
    /// Shuts it in; where there is none, it is not.
    pub(super) guard: Option<&'a Guard>,
    pub(super) sandbox: Sandbox,
    /// What it has to itself.
    pub(super) scratch: &'a Scratch,
    /// The SDK.
    pub(super) sdk: &'a Path,
    /// Where the crates are that came with the source.
    pub(super) crates: &'a [&'a Path],
    /// What others have compiled, where it may see it.
    pub(super) shared: Option<&'a Path>,
    /// Where it compiles to.
    pub(super) target: &'a Path,
    /// What that is called in the build.
    pub(super) place: &'a Path,
}

impl Shelter<'_> {
    /// Begins a command that runs cargo on the crate in `source`.
    pub(super) fn command(&self, toolchain: &Toolchain, source: &Path) -> Command {
        let confinement = self.confinement(toolchain, source);
        let mut command = match self.guard {
            Some(guard) => guard.command(&toolchain.cargo, &confinement),
            None => {
                let mut command = Command::new(&toolchain.cargo);
                command.env_clear().envs(environment::for_building_outside());
                command
            }
        };
        let is_allowed = |folder: &Path| self.guard.is_none() || confinement.lets_run_in(folder);
        command
            // Cargo looks for settings in all folders above: here there are none of the user's.
            .current_dir(if cfg!(unix) {
                Path::new("/")
            } else {
                self.scratch.folder()
            })
            .envs(environment::for_both())
            .env("PATH", toolchain.path(is_allowed))
            .env("CARGO_HOME", self.scratch.home())
            .env("HOME", self.scratch.folder());
        for variable in ["TEMP", "TMP", "TMPDIR"] {
            command.env(variable, self.scratch.temporary());
        }
        command
    }

    fn confinement(&self, toolchain: &Toolchain, source: &Path) -> Confinement {
        let least = Confinement::of_build(self.sandbox)
            .with_read(source)
            .with_read(self.sdk);
        let fetched = self.scratch.crates().iter().map(PathBuf::as_path);
        let crates = fetched.chain(self.crates.iter().copied());
        let with_crates = crates.fold(least, Confinement::with_read);
        let programs = toolchain.folders().chain(self.shared);
        let with_programs = programs.fold(with_crates, Confinement::with_execute);
        let with_named = environment::named_folders().fold(with_programs, Confinement::with_execute);
        [self.target, self.scratch.folder()]
            .into_iter()
            .fold(with_named, |confinement, folder| {
                confinement.with_write(folder).with_execute(folder)
            })
    }
}
