//! What the checks ask of the machine.
use modelzoo_base::process::short_output;
use std::{io, process::Command, time::Duration};

/// A program that does not tell its version in this time hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the checks ask of the machine, so that they can be tried on others than this.
pub trait Machine {
    /// What `program` prints when it is started with `arguments`, which make it tell its version.
    ///
    /// # Errors
    /// It cannot be started, fails, or hangs.
    fn output(&self, program: &str, arguments: &[&str]) -> io::Result<String>;

    /// The value of an environment variable, if it is set and not empty.
    fn variable(&self, name: &str) -> Option<String>;
}

/// The machine that this runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn output(&self, program: &str, arguments: &[&str]) -> io::Result<String> {
        short_output(Command::new(program).args(arguments), PATIENCE)
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}
