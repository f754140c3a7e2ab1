//! Other people's programs, shut in: the running program is started again as their guard.
//!
//! A guard shuts itself in and becomes the program that was asked for. A build needs more: its guard stays outside, in
//! namespaces of its own, and starts the build as the first process in them, so that nothing of it is left when that
//! has ended.

use super::{
    Conduct, Confinement, SandboxLayer, SandboxReport,
    enter::{enter, tell},
    limits::MOST_PROCESSES,
    namespaces,
};
use modelzoo_base::{Sandbox, process::short_output};
use rustix::process::{
    Pid, Signal, WaitOptions, getppid, kill_process, set_child_subreaper, set_parent_process_death_signal,
    wait,
};
use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::PathBuf,
    process::{Command, ExitStatus, exit},
    sync::OnceLock,
    time::Duration,
};

/// The first argument of a guard; behind it come the confinement and the command.
const ARGUMENT: &str = "__guard";

/// Set to the host's process id for a guard.
const VARIABLE: &str = "MODELZOO_GUARD";

/// The exit code of a guard that cannot do what it should.
const REFUSED: i32 = 125;

/// How long a guard may take to report.
const PATIENCE: Duration = Duration::from_secs(30);

/// The running program, where it lets itself be started as a guard.
static THIS_PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Starts programs shut in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    program: PathBuf,
}

impl Guard {
    /// The running program, where [`run_guard_if_asked`] was called in it: one that does not call it would begin anew
    /// instead of guarding.
    pub fn of_this_program() -> Option<Self> {
        THIS_PROGRAM.get().map(|program| Self {
            program: program.clone(),
        })
    }

    /// A program that calls [`run_guard_if_asked`] first in its `main`.
    pub fn new(program: impl Into<PathBuf>) -> Option<Self> {
        Some(Self {
            program: program.into(),
        })
    }

    /// Begins a command that runs `program`, an absolute path, shut in, with an empty environment. It ends when the thread
    /// ends that started it.
    pub fn command(&self, program: impl AsRef<OsStr>, confinement: &Confinement) -> Command {
        let mut command = self.ask(confinement);
        command.arg(program);
        command
    }

    /// The layers that are in force in a process that is confined so.
    ///
    /// # Errors
    /// When the guard cannot be started, or gives no answer.
    pub fn report(&self, confinement: &Confinement) -> io::Result<SandboxReport> {
        let text = short_output(&mut self.ask(confinement), PATIENCE)?;
        Ok(serde_json::from_str(&text)?)
    }

    fn ask(&self, confinement: &Confinement) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(ARGUMENT)
            // Paths that are not UTF-8 cannot be told, so they stay closed.
            .arg(serde_json::to_string(&confinement).unwrap_or_default())
            .env_clear()
            .env(VARIABLE, std::process::id().to_string());
        command
    }
}

/// Turns this process into a guard, when it was started as one, and does not return then; otherwise lets this program be
/// started as one. This comes first in `main`, before there are threads.
pub fn run_guard_if_asked() {
    let mut arguments = env::args_os().skip(1);
    let is_asked = arguments.next().is_some_and(|argument| argument == ARGUMENT);
    let Some(host) = env::var_os(VARIABLE).filter(|_| is_asked) else {
        if let Ok(program) = env::current_exe() {
            // It is the same, however often it is set.
            let _ = THIS_PROGRAM.set(program);
        }
        return;
    };
    // SAFETY: this is the first thing that `main` does: there are no other threads yet.
    unsafe { env::remove_var(VARIABLE) };
    let asked = (|| {
        let host = host.to_str()?.parse().ok().and_then(Pid::from_raw)?;
        let confinement = serde_json::from_str(arguments.next()?.to_str()?).ok()?;
        Some((host, confinement))
    })();
    let result = match asked {
        Some((host, confinement)) => guard(host, &confinement, &arguments.collect::<Vec<_>>()),
        None => Err(io::Error::other("it is not understood what to guard")),
    };
    exit(result.unwrap_or_else(|error| {
        eprintln!("error: cannot start shut in: {error}");
        REFUSED
    }))
}

/// Runs a command, or reports where there is none.
fn guard(host: Pid, confinement: &Confinement, command: &[OsString]) -> io::Result<i32> {
    end_with_parent(host)?;
    let mut before = Vec::new();
    let is_off = confinement.sandbox == Sandbox::Off;
    if confinement.conduct == Conduct::StartsPrograms && !is_off {
        match namespaces::enter(&confinement.writes) {
            Ok(()) => before.push(SandboxLayer::Namespaces),
            Err(error) => tell(SandboxLayer::Namespaces, &error),
        }
    }
    let Some((program, arguments)) = command.split_first() else {
        before.extend(enter(confinement).in_force);
        println!("{}", serde_json::to_string(&SandboxReport::of(before))?);
        return Ok(0);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    if confinement.conduct == Conduct::StartsPrograms {
        return keep(command, confinement, before);
    }
    shut_in(confinement, before)?;
    Err(command.exec())
}

/// Shuts this process in, or fails where that is not whole and must be.
fn shut_in(confinement: &Confinement, mut in_force: Vec<SandboxLayer>) -> io::Result<()> {
    in_force.extend(enter(confinement).in_force);
    let missing = SandboxReport::of(in_force).missing(confinement.conduct);
    match (confinement.sandbox, missing.first()) {
        (Sandbox::On, Some(layer)) => Err(io::Error::other(format!("this system has no limits of {layer}"))),
        _ => Ok(()),
    }
}

/// Starts a command shut in, waits for it, and ends what it leaves.
fn keep(mut command: Command, confinement: &Confinement, in_force: Vec<SandboxLayer>) -> io::Result<i32> {
    // Where there is no namespace of processes, what is left becomes this process's child.
    set_child_subreaper(Some(rustix::process::getpid()))?;
    let (guard, confined) = (rustix::process::getpid(), confinement.clone());
    let has_namespace = in_force.contains(&SandboxLayer::Namespaces);
    // SAFETY: this process has no other threads, so its child may allocate and do whatever else it could do.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // In a namespace, the parent outside is nobody.
            if !has_namespace && getppid() != Some(guard) {
                return Err(io::Error::other("the guard has ended"));
            }
            if has_namespace {
                // Without it, users have a limit of their own in their namespace, and root on older systems has none.
                let _ = namespaces::limit_processes(MOST_PROCESSES);
            }
            shut_in(&confined, in_force.clone())
        });
    }
    let mut child = command.spawn()?;
    let status = child.wait()?;
    end_children();
    Ok(code(status))
}

/// Ends the children of this process, and theirs, which become its own meanwhile.
fn end_children() {
    loop {
        let list = fs_err::read_to_string(format!("/proc/self/task/{}/children", std::process::id()));
        let children = list.unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|id| Pid::from_raw(id.parse().ok()?));
        for child in children {
            // It may have ended by itself.
            let _ = kill_process(child, Signal::KILL);
        }
        // An error says that there are none.
        if wait(WaitOptions::empty()).is_err() {
            return;
        }
    }
}

/// The exit code that tells how a process ended.
fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Lets the system end this process with its parent.
fn end_with_parent(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != Some(parent) {
        return Err(io::Error::other("the host has ended"));
    }
    Ok(())
}
