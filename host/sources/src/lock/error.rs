//! What can be wrong with a lock, or with the world as seen from it.
use std::io;
use std::path::PathBuf;

use super::{Change, SourceKey};
use crate::Sha256Digest;
use crate::identity::spelling_at;

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
    /// `--locked` was asked for where nothing is locked.
    #[error("there is no {} in {} or above it, as --locked wants", super::FILE_NAME, folder.display())]
    Missing {
        /// Where the search began.
        folder: PathBuf,
    },
    /// `--locked` was asked for, and the lock would have to change.
    #[error("{} would have to change, which --locked forbids:{}", path.display(), lines(changes))]
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// Whether content differs from what was locked.
    pub fn is_integrity(&self) -> bool {
        matches!(self, Self::Content(_))
    }

    /// What to do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some("write it with `modelzoo lock`".to_owned()),
            Self::Locked { .. } => {
                Some("run the command once without --locked, and look at the lock's change".to_owned())
            }
            Self::Content(mismatch) => Some(format!(
                "find out why it changed; to accept it, run `modelzoo sources update {}`",
                spelling_at(&mismatch.key.identity, mismatch.key.revision.as_deref())
            )),
            Self::Newer { .. } => Some("update modelzoo".to_owned()),
            Self::Invalid { path, .. } => Some(format!(
                "restore {} from version control, or write it anew with `modelzoo lock`",
                path.display()
            )),
            Self::File { .. } | Self::NoPlace => None,
        }
    }
}

/// The alarm that a tag, which is never meant to move, names another commit than before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
}

impl MovedTag {
    /// What to do about it.
    pub fn hint(&self) -> String {
        format!(
            "its owner, or somebody in his place, replaced published code: compare the two commits; to accept the new one, \
             run `modelzoo sources update {}`",
            spelling_at(&self.identity, Some(&self.tag))
        )
    }
}

fn lines(changes: &[Change]) -> String {
    changes.iter().map(|change| format!("\n  {change}")).collect()
}
