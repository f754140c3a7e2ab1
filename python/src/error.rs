//! From an error to a Python exception: the one place where the library's errors end.

use modelzoo::diagnosis::{Diagnose, ErrorClass, NextStep, in_one_line};
use pyo3::{prelude::*, types::PyType};

/// An error on its way to Python. Every error that says of itself what class it is and what to do next becomes one with
/// `?`, and an exception at the end.
#[derive(Debug)]
pub struct Failure(Box<dyn Diagnose>);

/// What a function gives: where it fails, all that the error says of itself.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Arguments that make no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

impl Diagnose for Usage {
    fn class(&self) -> ErrorClass {
        ErrorClass::Usage
    }

    fn next_step(&self) -> Option<NextStep> {
        None
    }
}

/// Something that was closed is used.
#[derive(Debug, thiserror::Error)]
#[error("this {0} is closed")]
pub struct Closed(pub &'static str);

impl Diagnose for Closed {
    fn class(&self) -> ErrorClass {
        ErrorClass::Usage
    }

    fn next_step(&self) -> Option<NextStep> {
        None
    }
}

/// Something of another process is used.
#[derive(Debug, thiserror::Error)]
#[error(
    "this {0} belongs to the process that this one was forked off: make one here, or start processes by \"spawn\""
)]
pub struct Forked(pub &'static str);

impl Diagnose for Forked {
    fn class(&self) -> ErrorClass {
        ErrorClass::Usage
    }

    fn next_step(&self) -> Option<NextStep> {
        None
    }
}

impl<E: Diagnose> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| exception(py, failure.0.as_ref()).map_or_else(|error| error, Self::from_value))
    }
}

/// The exception for an error, not raised.
pub fn exception<'py>(py: Python<'py>, error: &dyn Diagnose) -> PyResult<Bound<'py, PyAny>> {
    let hint = error.next_step().as_ref().map(words);
    class(py, error.class())?.call1((in_one_line(error), hint))
}

/// The exception's class, one for each class of errors.
fn class(py: Python<'_>, class: ErrorClass) -> PyResult<Bound<'_, PyType>> {
    let name = match class {
        ErrorClass::Failed => "Error",
        ErrorClass::Usage => "UsageError",
        ErrorClass::NotFound => "NotFoundError",
        ErrorClass::NotTrusted => "NotTrustedError",
        ErrorClass::BuildFailed => "BuildError",
        ErrorClass::Integrity => "IntegrityError",
        ErrorClass::Incompatible => "IncompatibleError",
    };
    Ok(py.import("modelzoo.errors")?.getattr(name)?.cast_into()?)
}

/// Says a next step with what takes it in Python, or in the program that comes with the package; most advice is the same
/// everywhere.
fn words(step: &NextStep) -> String {
    match step {
        NextStep::AllowSource { source } => format!(
            "it would run with your rights; after a look at its code, run `modelzoo trust allow {source}`, or decide with \
             load_model(..., consent=...)"
        ),
        NextStep::TakeBackDenial { identity } => {
            format!("to take it back: modelzoo trust revoke {identity}")
        }
        NextStep::AcceptContent { source } | NextStep::AcceptMovedTag { source } => {
            format!("find out why it changed; to accept it, run `modelzoo sources update {source}`")
        }
        NextStep::LetLockChange => {
            "load it once without locked=True, and look at the lock's change".to_owned()
        }
        NextStep::WriteLock => "write it with `modelzoo lock`".to_owned(),
        NextStep::DownloadModel => "modelzoo.download_model(...) gets it".to_owned(),
        NextStep::NameModel { name } => format!("name it behind a `#`, as in `source#{name}`"),
        NextStep::NameSource { source, model } => format!("name the source as well: `{source}#{model}`"),
        NextStep::ListModels => {
            "modelzoo.list_models() lists all models; a source may be named instead: `user/repo`".to_owned()
        }
        NextStep::ListSources => "modelzoo.list_sources() lists what is registered".to_owned(),
        NextStep::ShowModel => "model.info tells what a model can do".to_owned(),
        NextStep::GoOnline => "load it without offline=True".to_owned(),
        NextStep::PassOverFailures => {
            "without skip_failures=False the other samples are done all the same".to_owned()
        }
        NextStep::WaitLonger => {
            "if it only needs more time: load_model(..., stall_timeout=SECONDS); 0 waits for ever".to_owned()
        }
        NextStep::UseLessMemory => "a smaller batch_size or a smaller model takes less memory".to_owned(),
        NextStep::RunInProcess => "isolation=\"none\" runs the plugin in this process".to_owned(),
        NextStep::RelaxSandbox => "sandbox=\"auto\" uses what this system has".to_owned(),
        NextStep::ReplaceValues => {
            "overwrite=True replaces them; a field of another name keeps them".to_owned()
        }
        other => other.to_string(),
    }
}
