//! What the checks ask of the machine.
use std::io::{self, Read as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that does not tell its version in this time hangs.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

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
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn output(&self, program: &str, arguments: &[&str]) -> io::Result<String> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let start = Instant::now();
        // Versions are shorter than what a pipe holds, so the program ends without being read.
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
            }
            std::thread::sleep(POLL);
        };
        if !status.success() {
            return Err(io::Error::other(format!("it fails ({status})")));
        }
        let mut output = Vec::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_end(&mut output)?;
        }
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}
