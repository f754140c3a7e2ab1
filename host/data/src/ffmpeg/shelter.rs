//! How FFmpeg's programs are started: shut in, and so that they end with this program.

use super::error::FfmpegError;
use modelzoo_base::{
    Sandbox,
    process::{find_program, short_output},
};
use modelzoo_sandbox::{Conduct, Confinement, Guard, SandboxLayer, sandbox_support};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether FFmpeg's programs are shut in from now on, of all that this program starts.
static SANDBOX: Mutex<Sandbox> = Mutex::new(Sandbox::Auto);

/// Says whether FFmpeg's programs are shut in from now on: `Auto`, until this is called, where the system can do so, and
/// the program lets itself be started as a guard.
pub fn shut_ffmpeg_in(sandbox: Sandbox) {
    *SANDBOX.lock().unwrap_or_else(PoisonError::into_inner) = sandbox;
}

/// Begins a command that runs `program`, which ends with this one, without network and other programs, and without files
/// but those that `open` adds, as far as [`shut_ffmpeg_in`] says so.
///
/// # Errors
/// When it is not installed, or cannot be shut in and must be.
pub(crate) fn program(
    program: &'static str,
    open: impl FnOnce(Confinement) -> Confinement,
) -> Result<Command, FfmpegError> {
    let Some(path) = find_program(program, []) else {
        return Err(FfmpegError::Missing { program });
    };
    let sandbox = *SANDBOX.lock().unwrap_or_else(PoisonError::into_inner);
    let missing = match sandbox {
        Sandbox::On => missing_layers(),
        Sandbox::Auto | Sandbox::Off => &[],
    };
    let command = match sandbox {
        Sandbox::Off => None,
        _ if !missing.is_empty() => None,
        Sandbox::Auto | Sandbox::On => shut_in(&path, sandbox, open),
    };
    match command {
        Some(command) => Ok(command),
        None if sandbox == Sandbox::On => Err(FfmpegError::NotShutIn {
            program,
            missing: missing.to_vec(),
        }),
        None => Ok(on_a_leash(program)),
    }
}

/// The layers that this system cannot put around a program.
fn missing_layers() -> &'static [SandboxLayer] {
    static MISSING: OnceLock<Vec<SandboxLayer>> = OnceLock::new();
    let conduct = Conduct::IsOneProgram;
    MISSING.get_or_init(|| sandbox_support(conduct).missing(conduct))
}

/// A command that shuts itself in and becomes `program`.
fn shut_in(
    program: &Path,
    sandbox: Sandbox,
    open: impl FnOnce(Confinement) -> Confinement,
) -> Option<Command> {
    const LIBRARIES: &str = "LD_LIBRARY_PATH";
    static ELSEWHERE_WORKS: OnceLock<bool> = OnceLock::new();
    let guard = Guard::of_this_program()?;
    let program = std::fs::canonicalize(program).ok()?;
    let begin = |confinement: &Confinement| {
        let mut command = guard.command(&program, confinement);
        command.envs(env::var_os(LIBRARIES).map(|folders| (LIBRARIES, folders)));
        command
    };
    let least = Confinement::of_program(sandbox, &program);
    // What lies elsewhere than a system's programs may need other files, too: a script, or libraries of its own.
    let works = program.starts_with("/usr")
        || *ELSEWHERE_WORKS.get_or_init(|| short_output(begin(&least).arg("-version"), PATIENCE).is_ok());
    works.then(|| begin(&open(least)))
}

/// A command that runs `program`, and ends with this one.
///
/// A process that waits for something (a pipe, a disk that is gone) does not notice that this one has ended. The system
/// can be told to end it, but only by the process itself before it becomes FFmpeg.
fn on_a_leash(program: &'static str) -> Command {
    static LEASH: OnceLock<Option<PathBuf>> = OnceLock::new();
    let leash = LEASH.get_or_init(|| {
        let setpriv = find_program("setpriv", []).filter(|_| cfg!(target_os = "linux"))?;
        let mut trial = Command::new(&setpriv);
        let trial = trial.args(["--pdeathsig", "KILL", "--", "true"]);
        let works = trial.output().is_ok_and(|output| output.status.success());
        works.then_some(setpriv)
    });
    match leash {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--", program]);
            command
        }
        None => Command::new(program),
    }
}
