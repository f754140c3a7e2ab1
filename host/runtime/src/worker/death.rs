//! How a worker ended, in one line.

use crate::{CallError, WorkerDeath};
use modelzoo_base::error::NextStep;
use modelzoo_plugin_api::{Error as PluginError, ErrorKind};
use rustix::process::Signal;
use std::{fmt, io, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

/// How a worker ended, or why the host ended it.
#[derive(Debug)]
pub(super) struct Death {
    pub(super) cause: Cause,
    /// The last lines of its standard error.
    pub(super) last_lines: Vec<String>,
}

/// Why a worker ended.
#[derive(Debug)]
pub(super) enum Cause {
    /// By itself.
    Exited(ExitStatus),
    /// It gave no sign of life for so long.
    Stalled(Duration),
    /// It did not stop when the user wanted to.
    Cancelled,
    /// It said something that makes no sense.
    Confused(io::Error),
}

impl Death {
    /// The error of the call that the worker died in.
    pub(super) fn into_call_error(self) -> CallError {
        match self.cause {
            // Nothing is wrong with the input.
            Cause::Cancelled => PluginError::new(self).with_kind(ErrorKind::Cancelled).into(),
            _ => CallError::WorkerDied(self.into()),
        }
    }

    /// Whether the worker was ended after a long wait.
    pub(super) fn is_stall(&self) -> bool {
        matches!(self.cause, Cause::Stalled(_))
    }

    /// Whether it was ended because the user wanted to stop.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self.cause, Cause::Cancelled)
    }

    /// Whether it crashed by itself. One that the system ended had too little memory, most likely.
    pub(super) fn is_crash(&self) -> bool {
        let killed = Some(Signal::KILL.as_raw());
        matches!(&self.cause, Cause::Exited(status) if status.signal() != killed)
    }

    /// What the user can do next, where there is something.
    pub(super) fn next_step(&self) -> Option<NextStep> {
        match &self.cause {
            Cause::Stalled(_) => Some(NextStep::WaitLonger),
            Cause::Exited(_) if !self.is_crash() => Some(NextStep::UseLessMemory),
            Cause::Exited(_) | Cause::Confused(_) => Some(NextStep::ShowPluginOutput),
            Cause::Cancelled => None,
        }
    }
}

impl From<Death> for WorkerDeath {
    fn from(death: Death) -> Self {
        Self {
            reason: death.to_string(),
            next_step: death.next_step(),
            is_stall: death.is_stall(),
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Exited(status) => match (status.signal(), status.code()) {
                (Some(signal), _) => {
                    write!(
                        formatter,
                        "the plugin crashed: its process was ended by {}",
                        name(signal)
                    )
                }
                (None, Some(code)) => write!(formatter, "the plugin ended its process with exit code {code}"),
                (None, None) => formatter.write_str("the plugin's process ended"),
            },
            Cause::Stalled(timeout) => write!(
                formatter,
                "the plugin gave no sign of life for {} s and was ended",
                timeout.as_secs_f64()
            ),
            Cause::Cancelled => {
                formatter.write_str("the plugin did not stop when it was cancelled and was ended")
            }
            Cause::Confused(error) => {
                write!(
                    formatter,
                    "the plugin's process gave no valid answer and was ended: {error}"
                )
            }
        }?;
        if !self.last_lines.is_empty() {
            write!(formatter, "; it last printed: {}", self.last_lines.join(" / "))?;
        }
        Ok(())
    }
}

/// A signal's name, and what it usually means.
fn name(signal: i32) -> String {
    let known = [
        (Signal::ABORT, "SIGABRT (abort)"),
        (Signal::SEGV, "SIGSEGV (invalid memory access)"),
        (Signal::BUS, "SIGBUS (access beyond the end of a file)"),
        (
            Signal::ILL,
            "SIGILL (unknown instruction: was it built on another machine?)",
        ),
        (Signal::FPE, "SIGFPE (arithmetic error)"),
        (Signal::KILL, "SIGKILL (often: out of memory)"),
        (Signal::TERM, "SIGTERM"),
        (Signal::SYS, "SIGSYS (forbidden system call)"),
        (Signal::TRAP, "SIGTRAP"),
    ];
    known
        .iter()
        .find(|(number, _)| number.as_raw() == signal)
        .map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn death(cause: Cause, last_lines: &[&str]) -> Death {
        let last_lines = last_lines.iter().map(ToString::to_string).collect();
        Death { cause, last_lines }
    }

    #[test]
    fn a_crash_names_its_signal_and_last_words() {
        let status = ExitStatus::from_raw(6);
        let text = death(Cause::Exited(status), &["thread panicked", "aborting"]).to_string();
        assert!(
            text.contains("SIGABRT") && text.ends_with("thread panicked / aborting"),
            "{text}"
        );
        let text = death(Cause::Exited(ExitStatus::from_raw(3 << 8)), &[]).to_string();
        assert!(text.ends_with("exit code 3"), "{text}");
    }

    #[test]
    fn only_a_cancelled_call_is_an_error_of_that_kind() {
        assert_eq!(
            death(Cause::Cancelled, &[]).into_call_error().kind(),
            ErrorKind::Cancelled
        );
        assert_eq!(
            death(Cause::Stalled(Duration::from_secs(9)), &[])
                .into_call_error()
                .kind(),
            ErrorKind::Other
        );
    }
}
