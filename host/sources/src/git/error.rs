//! What can go wrong between a reference and its files.
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
    suggest,
};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

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
    /// The repository has branches, and its HEAD is none of them.
    #[error("the repository {url} does not say which of its branches is meant: its HEAD leads to none")]
    NoDefaultBranch {
        /// Its URL.
        url: String,
        /// Its branches and tags.
        names: Vec<String>,
    },
    /// The repository names its objects by another hash than SHA-1.
    #[error("the repository {url} names its commits by SHA-256, and only those with SHA-1 can be fetched")]
    ObjectFormat {
        /// Its URL.
        url: String,
        /// What libgit2 says.
        source: GitReason,
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
        source: GitReason,
    },
    /// The server is not known by its key, or has another one than before.
    #[error("the key of the server at {url} is not the one in ~/.ssh/known_hosts")]
    UnknownHost {
        /// The URL that was tried.
        url: String,
    },
    /// The server sent nothing for too long.
    #[error("{url} sent nothing for {} s", after.as_secs())]
    Stalled {
        /// The URL that was tried.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The server would lead the token to another one.
    #[error("{url} leads to {to}, which is not shown the token")]
    Redirected {
        /// The URL that was tried.
        url: String,
        /// Where it leads.
        to: String,
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
        source: GitReason,
    },
    /// An object of the repository is missing or broken.
    #[error("commit {commit} has a broken object")]
    BrokenObject {
        /// The commit.
        commit: String,
        /// What libgit2 says.
        source: GitReason,
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

/// What libgit2, or the connection below it, says: the words, without numbers of libgit2's own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GitReason {
    /// The words.
    pub message: String,
}

impl From<git2::Error> for GitReason {
    fn from(error: git2::Error) -> Self {
        Self {
            message: error.message().to_owned(),
        }
    }
}

impl GitError {
    /// For `map_err`: `path` cannot be written.
    pub(super) fn write(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Write {
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for GitError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NoSuchRepository { .. }
            | Self::NoSuchRevision { .. }
            | Self::NoDefaultBranch { .. }
            | Self::Empty { .. } => ErrorClass::NotFound,
            _ => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::advice(match self {
            Self::NoSuchRepository { .. } => "check the spelling of owner and repository",
            Self::Authentication { url, refused } if url.starts_with("ssh://") || !url.contains("://") => {
                if *refused {
                    "check that the key may read the repository; `ssh-add -l` lists the keys of the agent"
                } else {
                    "start ssh-agent, or put a key without a passphrase into ~/.ssh; `ssh-add -l` lists the keys of the \
                     agent"
                }
            }
            Self::Authentication { refused: false, .. } => {
                "check the spelling; for a private repository, set GITHUB_TOKEN (on Hugging Face, also for one with conditions to \
                 accept: HF_TOKEN) or a Git credential helper"
            }
            Self::Authentication { refused: true, .. } => {
                "check that the token is valid and may read the repository"
            }
            Self::NoSuchRevision { suggestions, .. } => {
                let nearest = suggestions.first()?;
                return Some(NextStep::advice(format!("`@{nearest}` would be the nearest")));
            }
            Self::NoDefaultBranch { names, .. } => {
                let first = names.first()?;
                return Some(NextStep::advice(format!(
                    "name a branch or a tag, such as `@{first}`"
                )));
            }
            Self::ObjectFormat { .. } => "clone it with Git, and name the folder of the clone instead",
            Self::AmbiguousCommit { .. } => "give more digits of the commit",
            Self::Network { .. } => return Some(NextStep::CheckNetwork),
            Self::UnknownHost { .. } => {
                "connect once with `ssh`, and compare the key that it shows with the one that the server's owner \
                 publishes"
            }
            Self::Stalled { .. } => {
                "try again later, or give it more time: `download.stall_timeout_seconds` in the configuration"
            }
            Self::Redirected { to, .. } => {
                return Some(NextStep::advice(format!("if you trust {to}, use that URL")));
            }
            Self::Write { source, .. } => return Some(NextStep::for_writing(source)),
            Self::Refused { .. } => "tell its owner; no file of it was kept",
            Self::Empty { .. } | Self::Cancelled { .. } | Self::Fetch { .. } | Self::BrokenObject { .. } => {
                return None;
            }
        }))
    }
}
