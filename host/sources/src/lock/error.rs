//! What can be wrong with a lock, or with the world as seen from it.
use super::{Change, SourceKey};
use crate::identity::spelling_at;
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a lock cannot be used or kept to.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A file cannot be read or written.
    #[error("cannot {action} the lock {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no lock.
    #[error("{}:{line}: {message}", path.display())]
    Invalid {
        /// The lock file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A file of a later version of this program.
    #[error("{} has the format version {version}, which this version of modelzoo does not know", path.display())]
    Newer {
        /// The lock file.
        path: PathBuf,
        /// Its format version.
        version: u32,
    },
    /// No lock file is named, and no folder in which it would be.
    #[error("nothing says where the lock file is to be")]
    NoPlace,
    /// What is in a folder of the user's changes as he likes.
    #[error("{} is a folder or file of this machine, which nothing can be pinned to", path.display())]
    OfThisMachine {
        /// The folder or file.
        path: PathBuf,
    },
    /// Only what is locked may be used, and nothing is.
    #[error("there is no {} in {} or above it, and only what it locks may be used", super::FILE_NAME, folder.display())]
    Missing {
        /// Where the search began.
        folder: PathBuf,
    },
    /// Only what is locked may be used, and the lock would have to change.
    #[error("{} would have to change, and must not:{}", path.display(), lines(changes))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// What would change.
        changes: Vec<Change>,
    },
    /// Content is not what was locked under the same name.
    #[error(transparent)]
    Content(Box<ContentMismatch>),
}

/// Content that is not what was locked under the same name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {key} is not what {} says: expected SHA-256 {expected}, found {found}", path.display())]
pub struct ContentMismatch {
    /// The lock file.
    pub path: PathBuf,
    /// The source.
    pub key: SourceKey,
    /// What differs: the tree, or a file of a model.
    pub what: String,
    /// The locked digest.
    pub expected: Sha256Digest,
    /// The digest of what is there.
    pub found: Sha256Digest,
}

impl LockError {
    /// For `map_err`: `action` failed on `path`.
    pub(super) fn file(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::File {
            action,
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for LockError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Content(mismatch) => mismatch.class(),
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Missing { .. } => Some(NextStep::WriteLock),
            Self::Locked { .. } => Some(NextStep::LetLockChange),
            Self::Content(mismatch) => mismatch.next_step(),
            Self::Newer { .. } => Some(NextStep::UpdateProgram),
            Self::Invalid { path, .. } => Some(NextStep::RestoreLock { path: path.clone() }),
            Self::File { source, .. } => NextStep::for_access(source),
            Self::OfThisMachine { .. } => Some(NextStep::advice(
                "lock the Git repository or the archive that it is from",
            )),
            Self::NoPlace => None,
        }
    }
}

impl Diagnose for ContentMismatch {
    fn class(&self) -> ErrorClass {
        ErrorClass::Integrity
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::AcceptContent {
            source: spelling_at(&self.key.identity, self.key.revision.as_deref()),
        })
    }
}

/// The alarm that a tag, which is never meant to move, names another commit than before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tag {tag} of {identity} has moved: it was {before} and is now {now}")]
pub struct MovedTag {
    /// The source.
    pub identity: String,
    /// The tag.
    pub tag: String,
    /// The commit that was locked or recorded.
    pub before: String,
    /// The commit that the remote names now.
    pub now: String,
    /// How the source was asked for.
    pub spelling: String,
}

impl Diagnose for MovedTag {
    fn class(&self) -> ErrorClass {
        ErrorClass::Integrity
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::AcceptMovedTag {
            source: self.spelling.clone(),
        })
    }
}

fn lines(changes: &[Change]) -> String {
    changes.iter().map(|change| format!("\n  {change}")).collect()
}
