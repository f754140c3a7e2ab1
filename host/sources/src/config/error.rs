//! What can be wrong with a configuration.
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use std::{io, path::PathBuf};

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no TOML, has a key that does not exist, or a value of the wrong kind.
    #[error(
        "{}:{line}:{column}: {message}{}",
        path.display(),
        suggestion.as_ref().map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// What is wrong there.
        message: String,
        /// The key that was probably meant.
        suggestion: Option<String>,
    },
    /// An environment variable has a value that cannot be used.
    #[error("the environment variable {variable} is `{value}`: {problem}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Diagnose for ConfigError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Read { source, .. } => NextStep::for_access(source),
            Self::Invalid { .. } | Self::Environment { .. } => None,
        }
    }
}
