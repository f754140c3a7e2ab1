//! What can be tried against the machine on which somebody's code runs: as a plugin, a build script or a macro.
//!
//! None of it does harm where it succeeds: it opens, looks, and leaves.

pub mod build;
pub mod files;
pub mod kernel;
pub mod network;
pub mod processes;

use std::{
    io,
    path::{Path, PathBuf},
};

/// What the attempts aim at.
pub struct Targets {
    /// A file that the code has no business with, in a folder of its own.
    pub secret: PathBuf,
    /// A port of this machine at which somebody listens.
    pub port: u16,
    /// A Unix socket at which somebody listens.
    pub socket: PathBuf,
    /// A process that is none of the code's.
    pub victim: u32,
}

/// An attempt: `Ok` when it got through.
pub type Attempt<'a> = (&'static str, Box<dyn Fn() -> io::Result<()> + 'a>);

/// Tries everything; gives a line for each attempt. `weights` is a file beside which nothing may be made.
pub fn lines(targets: &Targets, weights: &Path) -> Vec<String> {
    let attempts = [
        files::attempts(&targets.secret, weights),
        network::attempts(targets.port, &targets.socket),
        processes::attempts(targets.victim),
        kernel::attempts(),
    ];
    let lines = attempts
        .iter()
        .flatten()
        .map(|(name, attempt)| line(name, &attempt()))
        .collect();
    files::clean_up(weights);
    lines
}

/// What came of an attempt: its name, and `done` or why it was refused.
pub fn line(name: &str, result: &io::Result<()>) -> String {
    match result {
        Ok(()) => format!("{name}: done"),
        Err(error) => format!("{name}: refused: {error}"),
    }
}

/// What a system call says.
pub fn outcome(result: i64) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
