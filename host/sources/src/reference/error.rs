//! What can be wrong with a reference, and what was understood of it before that.
use modelzoo_base::error::{Diagnose, ErrorClass, NextStep};
use std::fmt;

/// What was understood of a spelling, in its order.
pub(super) type Understood = Vec<(&'static str, String)>;

/// A spelling that is no reference. The message says what is wrong and how far it was understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ReferenceError {
    spelling: String,
    understood: Understood,
    problem: Problem,
}

impl ReferenceError {
    pub(super) fn new(spelling: &str, understood: Understood, problem: Problem) -> Self {
        // A pasted file would drown the message.
        const SHOWN_CHARACTERS: usize = 200;
        let spelling = if problem == Problem::Credentials {
            without_credentials(spelling)
        } else {
            spelling.to_owned()
        };
        let mut shown: String = spelling.chars().take(SHOWN_CHARACTERS).collect();
        if shown.len() < spelling.len() {
            shown.push('…');
        }
        Self {
            spelling: shown,
            understood,
            problem,
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl Diagnose for ReferenceError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Usage
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(NextStep::advice(match self.problem {
            Problem::Credentials => {
                "leave the credentials out and set GITHUB_TOKEN, or use ssh or a Git credential helper"
            }
            Problem::Page { .. } => "name the repository as `user/repo` or `user/repo@ref`",
            Problem::NotASource => {
                "a source is `user/repo[@ref]`, a Git or archive URL, or a path that starts with `.` or `/`"
            }
            Problem::Scheme { .. } => "use https, ssh or file URLs, or `git@host:path`",
            Problem::Revision { .. } | Problem::RevisionCharacter { .. } => {
                "a ref is the name of a branch or a tag, or a commit id"
            }
            _ => return Some(NextStep::SpellSource),
        }))
    }
}

/// A message must not repeat a secret.
fn without_credentials(spelling: &str) -> String {
    match (spelling.find("://"), spelling.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &spelling[..scheme], &spelling[at..]),
        _ => "…".to_owned(),
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` is not a source: {}",
            self.spelling.escape_debug(),
            self.problem
        )?;
        for (index, (part, value)) in self.understood.iter().enumerate() {
            let lead = if index == 0 { " (understood: " } else { ", " };
            write!(formatter, "{lead}{part} `{}`", value.escape_debug())?;
        }
        if self.understood.is_empty() {
            Ok(())
        } else {
            formatter.write_str(")")
        }
    }
}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// Longer than any URL or path.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// The greatest number of bytes.
        limit: usize,
    },
    /// A bare word, for example.
    #[error("it is neither `user/repo`, nor a URL, nor a path that starts with `.` or `/`")]
    NotASource,
    /// Two models are named where there is one.
    #[error("it names the model `{first}`, and beside it stands `{second}`")]
    TwoModels {
        /// The model in the spelling.
        first: String,
        /// The other one.
        second: String,
    },
    /// A control character or a space where none can be.
    #[error("it contains the character {character:?}")]
    Character {
        /// The first such character.
        character: char,
    },
    /// A URL of a kind that is not fetched.
    #[error("`{scheme}` URLs are not supported")]
    Scheme {
        /// The part before `://`.
        scheme: String,
    },
    /// A URL without a sound host name.
    #[error("`{host}` is not a host name")]
    Host {
        /// What stands in its place.
        host: String,
    },
    /// User name and password, or a token, in the URL: it would end up in logs and in lock files.
    #[error("it carries credentials, which would be written to logs and lock files")]
    Credentials,
    /// A GitHub user or organisation that cannot exist.
    #[error("`{name}` cannot be a user name on GitHub")]
    Owner {
        /// The name.
        name: String,
    },
    /// A repository that cannot exist.
    #[error("`{name}` cannot be a repository")]
    Repository {
        /// The name or path.
        name: String,
    },
    /// A browser page that is no source.
    #[error("its page `{page}` is not a branch, tag, commit or folder")]
    Page {
        /// The path of the page inside the repository.
        page: String,
    },
    /// A ref that Git would not allow.
    #[error("the ref `{revision}` is not allowed: {reason}", revision = revision.escape_debug())]
    Revision {
        /// The ref.
        revision: String,
        /// Why not.
        reason: &'static str,
    },
    /// A ref with a character that Git would not allow.
    #[error("the ref `{revision}` is not allowed: it contains {character:?}", revision = revision.escape_debug())]
    RevisionCharacter {
        /// The ref.
        revision: String,
        /// The first such character.
        character: char,
    },
    /// `//sub/dir` that is absolute, empty in between or leads out of the repository.
    #[error("`{subdirectory}` is not a folder inside the source", subdirectory = subdirectory.escape_debug())]
    Subdirectory {
        /// What stands after `//`.
        subdirectory: String,
    },
    /// `%` without two hexadecimal digits of UTF-8 text after it.
    #[error("`{part}` is not a percent-encoded text")]
    PercentEncoding {
        /// The part of the URL.
        part: String,
    },
}
