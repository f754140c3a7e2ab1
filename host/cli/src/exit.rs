//! The exit codes of the program. They are documented, and never change their meaning.

use modelzoo::diagnosis::ErrorClass;
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is done.
    Done = 0,
    /// It failed, for a reason without a code of its own.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A source, model, file or field does not exist.
    NotFound = 3,
    /// The source's code may not run here.
    NotTrusted = 4,
    /// The plugin does not compile.
    BuildFailed = 5,
    /// Something is not what its hash says.
    Integrity = 6,
    /// The plugin does not fit this host.
    Incompatible = 7,
    /// All is done but for some inputs, which failed.
    Partial = 8,
}

impl From<ErrorClass> for Exit {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Failed => Self::Failed,
            ErrorClass::Usage => Self::Usage,
            ErrorClass::NotFound => Self::NotFound,
            ErrorClass::NotTrusted => Self::NotTrusted,
            ErrorClass::BuildFailed => Self::BuildFailed,
            ErrorClass::Integrity => Self::Integrity,
            ErrorClass::Incompatible => Self::Incompatible,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
