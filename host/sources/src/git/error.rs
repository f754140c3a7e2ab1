//! What can go wrong between a reference and its files.
use std::io;
use std::path::PathBuf;

use crate::suggest;

/// A repository or revision that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is nothing at the URL, or nothing that the caller may see.
    #[error("there is no Git repository at {url}")]
    NoSuchRepository {
        /// The URL that was tried.
        url: String,
    },
    /// The server wants to know who asks. GitHub answers so for repositories that do not exist, too.
    #[error("{url} needs credentials, or does not exist{}", if *refused { "; those that were sent were refused" } else { "" })]
    Authentication {
        /// The URL that was tried.
        url: String,
        /// Whether credentials were sent.
        refused: bool,
    },
    /// The repository has no commits.
    #[error("the repository {url} is empty")]
    Empty {
        /// Its URL.
        url: String,
    },
    /// No branch, tag or commit has this name.
    #[error(
        "{url} has no branch, tag or commit `{revision}`{}",
        suggest::question(suggestions)
    )]
    NoSuchRevision {
        /// The repository's URL.
        url: String,
        /// What was asked for.
        revision: String,
        /// Branches and tags that are like it.
        suggestions: Vec<String>,
    },
    /// The beginning of a commit id fits several commits.
    #[error("`{revision}` is the beginning of more than one commit of {url}")]
    AmbiguousCommit {
        /// The repository's URL.
        url: String,
        /// What was asked for.
        revision: String,
    },
    /// The server cannot be reached, or hung up.
    #[error("cannot reach {url}")]
    Network {
        /// The URL that was tried.
        url: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// The fetch was cancelled.
    #[error("the fetch of {url} was cancelled")]
    Cancelled {
        /// The repository's URL.
        url: String,
    },
    /// Anything else that libgit2 reports.
    #[error("cannot fetch {url}")]
    Fetch {
        /// The repository's URL.
        url: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// An object of the repository is missing or broken.
    #[error("commit {commit} has a broken object")]
    BrokenObject {
        /// The commit.
        commit: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// A file of the commit is refused.
    #[error("commit {commit} cannot be checked out: `{path}` is refused because {reason}", path = path.escape_debug())]
    Refused {
        /// The commit.
        commit: String,
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl GitError {
    /// What the user can do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchRepository { .. } => Some("check the spelling of owner and repository".to_owned()),
            Self::Authentication { url, refused } if url.starts_with("ssh://") || !url.contains("://") => {
                let advice = if *refused {
                    "check that the key may read the repository"
                } else {
                    "start ssh-agent"
                };
                Some(format!("{advice}; `ssh-add -l` lists the keys that were offered"))
            }
            Self::Authentication { refused: false, .. } => Some(
                "check the spelling; for a private repository, set GITHUB_TOKEN or a Git credential helper"
                    .to_owned(),
            ),
            Self::Authentication { refused: true, .. } => {
                Some("check that the token is valid and may read the repository".to_owned())
            }
            Self::NoSuchRevision { suggestions, .. } => suggestions
                .first()
                .map(|name| format!("`@{name}` would be the nearest")),
            Self::AmbiguousCommit { .. } => Some("give more digits of the commit".to_owned()),
            Self::Network { .. } => {
                Some("check the network and the proxy, or use `--offline` with what the store has".to_owned())
            }
            _ => None,
        }
    }
}
