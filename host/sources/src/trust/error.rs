//! Why code does not run.
use super::{SIGNATURE_FILE, TrustState, Undecided};
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why code does not run.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Nobody has allowed it, and nobody can be asked.
    #[error("{}", not_trusted(.0))]
    NotTrusted(Box<Undecided>),
    /// The configuration denies it.
    #[error("{identity} is denied by the configuration (trust.deny has `{entry}`)")]
    DeniedByPolicy {
        /// The source.
        identity: String,
        /// The entry that covers it.
        entry: String,
    },
    /// The user denied it.
    #[error("{identity} was denied")]
    Denied {
        /// The source.
        identity: String,
    },
    /// The commit is younger than the policy allows.
    #[error("the commit of {identity} is {days} days old, and the configuration asks for {minimum_days}")]
    TooYoung {
        /// The source.
        identity: String,
        /// Its age in whole days.
        days: u64,
        /// What the policy asks for.
        minimum_days: u32,
    },
    /// The policy asks for an age, and there is no commit to have one.
    #[error("the age of {identity} is not known, and the configuration asks for {minimum_days} days")]
    UnknownAge {
        /// The source.
        identity: String,
        /// What the policy asks for.
        minimum_days: u32,
    },
    /// The policy asks for a signature, and there is none.
    #[error("{identity} has no signature ({SIGNATURE_FILE}), and the configuration asks for one")]
    Unsigned {
        /// The source.
        identity: String,
    },
    /// The policy asks for a signature of every source, and no key is known for this one.
    #[error(
        "no key is known for {identity}, and the configuration asks for signatures (trust.require_signature)"
    )]
    NoKey {
        /// The source.
        identity: String,
    },
    /// The signature is not one of this tree by the configured key.
    #[error("the signature of {identity} is not valid: {problem}")]
    BadSignature {
        /// The source.
        identity: String,
        /// What the verification says.
        problem: String,
    },
    /// A configured key is none.
    #[error("the configuration's key for `{entry}` (trust.keys) is no minisign public key: {problem}")]
    BadKey {
        /// The entry.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The decisions, or the tree, cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of decisions is damaged. It is not replaced: what it denied must not be forgotten.
    #[error("{}:{line}: this cannot be understood: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

impl TrustError {
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

impl Diagnose for TrustError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::File { .. } | Self::Damaged { .. } | Self::BadKey { .. } => ErrorClass::Failed,
            // The code itself is refused.
            _ => ErrorClass::NotTrusted,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(match self {
            Self::NotTrusted(undecided) => NextStep::AllowSource {
                source: undecided.source.clone(),
            },
            Self::Denied { identity } => NextStep::TakeBackDenial {
                identity: identity.clone(),
            },
            Self::DeniedByPolicy { .. } => {
                NextStep::advice("the entry can be in the system's configuration or in yours")
            }
            Self::TooYoung {
                days, minimum_days, ..
            } => {
                let rest = u64::from(*minimum_days).saturating_sub(*days);
                NextStep::advice(format!("use an earlier commit, or wait {rest} days"))
            }
            Self::NoKey { identity } => NextStep::advice(format!(
                "add its author's key to the configuration: trust.keys.\"{identity}\""
            )),
            Self::BadSignature { .. } => NextStep::advice("do not use it; ask its author"),
            Self::Damaged { path, .. } => {
                NextStep::advice(format!("repair {} by hand; it is TOML", path.display()))
            }
            Self::File { source, .. } => return NextStep::for_access(source),
            Self::BadKey { .. } => {
                NextStep::advice("a key is the second line of the author's .pub file, as minisign writes it")
            }
            Self::UnknownAge { .. } | Self::Unsigned { .. } => return None,
        })
    }
}

fn not_trusted(undecided: &Undecided) -> String {
    let identity = &undecided.identity;
    match (undecided.state, &undecided.allowed_commit) {
        (TrustState::Stale, Some(commit)) => {
            format!("{identity} has changed since it was allowed (at commit {commit}), and is not trusted")
        }
        (TrustState::Stale, None) => {
            format!("{identity} has changed since it was allowed, and is not trusted")
        }
        _ => format!("{identity} is not trusted"),
    }
}
