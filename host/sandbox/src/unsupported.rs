//! Systems for which there is no sandbox.

use super::{Conduct, Confinement, SandboxReport};
use std::{convert::Infallible, ffi::OsStr, io, path::PathBuf, process::Command};

/// Starts programs shut in. There is none here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard(Infallible);

impl Guard {
    /// None.
    pub fn of_this_program() -> Option<Self> {
        None
    }

    /// None.
    pub fn new(_: impl Into<PathBuf>) -> Option<Self> {
        None
    }

    /// Never called.
    pub fn command(&self, _: impl AsRef<OsStr>, _: &Confinement) -> Command {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn report(&self, _: &Confinement) -> io::Result<SandboxReport> {
        match self.0 {}
    }
}

/// Does nothing: this program cannot be started as a guard.
pub fn run_guard_if_asked() {}

/// Does nothing.
pub fn enter(_: &Confinement) -> SandboxReport {
    SandboxReport::default()
}

/// The layers that this system can put around processes: none.
pub fn sandbox_support(_: Conduct) -> SandboxReport {
    SandboxReport::default()
}
