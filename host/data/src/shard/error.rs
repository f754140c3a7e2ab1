//! What can go wrong with shards.

use super::Shard;
use crate::output::OutputError;
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the results of shards cannot be written or put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// There are no results of shards.
    #[error("{}: there are no shards of it here", output.display())]
    NoneFound {
        /// What they were to be put together to.
        output: PathBuf,
        /// What the first of four would be called.
        example: PathBuf,
    },
    /// A file has no record beside it: its shard is not done, or it is no shard at all.
    #[error("{}: there is no record of a finished shard beside it", path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
    /// The results are not those that the record speaks of.
    #[error("{}: it was changed after its shard was done", path.display())]
    Changed {
        /// The results.
        path: PathBuf,
    },
    /// A file of results or a record does not hold what it should.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Shards that belong together are not there.
    #[error("{} of {} shards are missing: {}", missing.len(), of.count(), several(missing))]
    Missing {
        /// Those that are not there.
        missing: Vec<Shard>,
        /// One of those that are.
        of: Shard,
    },
    /// Two shards do not belong together.
    #[error("{} and {} do not belong together: {difference}", one.display(), other.display())]
    Different {
        /// The results of one.
        one: PathBuf,
        /// The results of the other.
        other: PathBuf,
        /// What differs.
        difference: String,
    },
    /// The shard was done by another model, or with other options.
    #[error("{}: the shard was done otherwise: {difference}", path.display())]
    DoneOtherwise {
        /// Its results.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A record cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Diagnose for ShardError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NoneFound { .. } | Self::Missing { .. } => ErrorClass::NotFound,
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => ErrorClass::NotFound,
            Self::Changed { .. } => ErrorClass::Integrity,
            Self::Output(error) => error.class(),
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(match self {
            Self::NoneFound { example, .. } => NextStep::advice(format!(
                "shards are written as JSON Lines for this; the first of four is called {}",
                example.display()
            )),
            Self::Unfinished { .. } | Self::Changed { .. } => NextStep::advice("run this shard again"),
            Self::Content { .. } => NextStep::advice("run this shard again, or leave the file out"),
            Self::Missing { .. } => NextStep::advice("run these as the others were run"),
            Self::Different { .. } => NextStep::advice(
                "put together what was run with the same model and options over the same input",
            ),
            Self::DoneOtherwise { .. } => NextStep::ReplaceShard,
            Self::Read { source, .. } => return NextStep::for_access(source),
            Self::Output(error) => return error.next_step(),
        })
    }
}

impl ShardError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source: about(path, source),
        }
    }

    pub(super) fn content(path: &Path, problem: impl ToString) -> Self {
        Self::Content {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// The first few of them.
fn several(shards: &[Shard]) -> String {
    const TOLD: usize = 8;
    let mut numbers: Vec<String> = shards
        .iter()
        .take(TOLD)
        .map(|shard| shard.number().to_string())
        .collect();
    if shards.len() > TOLD {
        numbers.push("...".to_owned());
    }
    numbers.join(", ")
}
