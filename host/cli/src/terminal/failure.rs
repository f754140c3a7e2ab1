//! From an error to what the user reads and the exit code: the one place where errors end.

use super::next_step::words;
use crate::exit::Exit;
use modelzoo::diagnosis::{Diagnose, ErrorClass, NextStep, chain, is_broken_pipe};
use std::{error::Error, fmt};

/// What a command gives: where it fails, all that the error says of itself.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error on its way to the user. Every error that says of itself what class it is and what to do next becomes one
/// with `?`, so neither is lost on the way.
#[derive(Debug)]
pub struct Failure {
    /// What was being done, outermost first.
    context: Vec<String>,
    error: Box<dyn Diagnose>,
}

/// An error of the command line's own, with what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Hinted {
    /// What went wrong, in one line.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// How the program ends.
    pub class: ErrorClass,
}

/// An error of the command line's own that needs no advice.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Plain {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self::from(Plain {
            message: message.into(),
            source: None,
        })
    }

    /// A failure that says `message`, because of an error that knows nothing of classes.
    pub fn because(message: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self::from(Plain {
            message: message.into(),
            source: Some(Box::new(source)),
        })
    }

    /// What went wrong, in one line.
    pub fn message(&self) -> String {
        self.levels().next().unwrap_or_default()
    }

    /// Why, outermost cause first.
    pub fn causes(&self) -> Vec<String> {
        self.levels().skip(1).collect()
    }

    /// What to do next, in the words of the command line.
    pub fn hint(&self) -> Option<String> {
        self.next_step().as_ref().map(words)
    }

    /// What to do next, as a value.
    pub(super) fn next_step(&self) -> Option<NextStep> {
        self.error.next_step()
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.error.class().into()
    }

    /// Whether whoever read the output has seen enough and gone, as `head` does.
    pub fn is_reader_gone(&self) -> bool {
        is_broken_pipe(self.error.as_ref())
    }

    /// What went wrong and why, outermost first.
    pub(super) fn levels(&self) -> impl Iterator<Item = String> {
        let error: &(dyn Error + 'static) = self.error.as_ref();
        self.context
            .iter()
            .cloned()
            .chain(chain(error).map(ToString::to_string))
    }
}

impl<E: Diagnose> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            context: Vec::new(),
            error: Box::new(error),
        }
    }
}

impl Diagnose for Hinted {
    fn class(&self) -> ErrorClass {
        self.class
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::advice(self.hint.clone()))
    }
}

impl Diagnose for Plain {
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        None
    }
}

/// Adds to a failure what was being done.
pub trait Context<T> {
    /// Puts `message` before the failure, which becomes its cause.
    fn context(self, message: impl fmt::Display) -> Result<T>;

    /// As [`Context::context`], with a message that is only made when it is needed.
    fn with_context<M: fmt::Display>(self, message: impl FnOnce() -> M) -> Result<T>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, message: impl fmt::Display) -> Result<T> {
        self.with_context(|| message)
    }

    fn with_context<M: fmt::Display>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|error| {
            let mut failure: Failure = error.into();
            failure.context.insert(0, message().to_string());
            failure
        })
    }
}

/// Fails with a message, unless something holds.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err($crate::terminal::Failure::new(format!($($message)+)));
        }
    };
}
pub(crate) use ensure;

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo::{EngineError, RuntimeError, format::FormatError, lock::LockError, output::OutputError};
    use std::{io, path::PathBuf};

    /// What a command that does nothing but fail gives.
    fn failing(error: impl Diagnose) -> Failure {
        let fail = || -> Result<()> { Err(error)? };
        fail().expect_err("it fails")
    }

    #[test]
    fn what_an_error_says_of_itself_survives_context() {
        let failure = Err::<(), _>(failing(LockError::Missing {
            folder: "here".into(),
        }))
        .context("nothing is locked")
        .expect_err("it fails");
        assert_eq!(failure.message(), "nothing is locked");
        assert_eq!(failure.causes().len(), 1);
        assert_eq!(failure.hint().as_deref(), Some("write it with `modelzoo lock`"));
    }

    #[test]
    fn errors_that_no_other_error_carries_keep_hint_and_exit_code() {
        let runtime = failing(RuntimeError::IsolationUnsupported);
        assert!(
            runtime
                .hint()
                .is_some_and(|hint| hint.contains("--isolation none"))
        );
        let lock = failing(LockError::Newer {
            path: PathBuf::from("modelzoo.lock"),
            version: 9,
        });
        assert!(lock.hint().is_some_and(|hint| hint.contains("modelzoo")));
        assert_eq!(lock.exit(), Exit::Failed);
    }

    #[test]
    fn causes_are_told_one_by_one() {
        let failure = failing(RuntimeError::WorkerStart {
            program: "worker".into(),
            source: io::ErrorKind::NotFound.into(),
        });
        assert_eq!(failure.message(), "cannot start the worker worker");
        assert_eq!(failure.causes(), ["entity not found"]);
        assert!(!failure.is_reader_gone());
    }

    #[test]
    fn a_reader_that_went_away_is_found_below_whatever_was_being_done() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let output = || OutputError::of_stdout(pipe());
        for gone in [
            failing(pipe()),
            failing(output()),
            failing(FormatError::from(output())),
            failing(EngineError::Sink(Box::new(FormatError::from(output())))),
            Failure::because("the page cannot be written", pipe()),
        ] {
            let gone = Err::<(), _>(gone).context("the results").expect_err("it fails");
            assert!(gone.is_reader_gone(), "{gone:?}");
        }
    }
}
