//! Trust: native code from a stranger runs only after consent.
//!
//! A decision is bound to a source's identity and the hash of its tree, so that an update makes it stale. Before it come
//! the policy of the configuration (what is denied never runs; too young or unsigned commits do not, where that is asked
//! for) and the folders that a user names on his own machine: those are his own code, as with `cargo run`.
//!
//! [`check`] gives the verdict; whoever has a terminal asks, showing a [`Summary`], and notes the answer with
//! [`TrustStore::allow`]; whoever has none fails with [`Undecided::into_error`], which says what to allow.
mod error;
mod pattern;
mod signature;
mod store;
mod summary;

use serde::Serialize;
use std::{
    fmt,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub use error::TrustError;
pub(crate) use signature::key_for;
pub use signature::message_to_sign;
pub use store::{Decision, DecisionKind, TrustStore};
pub use summary::{CrateFacts, PrebuiltFacts, Summary};

/// The name of the signature's file.
pub const SIGNATURE_FILE: &str = "modelzoo.minisig";

use crate::{SourceRef, config::TrustPolicy, reference::Revision, source::ResolvedSource};
use modelzoo_base::Sha256Digest;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// The code that is about to be built and run.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The source as it was asked for.
    pub reference: &'a SourceRef,
    /// The source's identity.
    pub identity: &'a str,
    /// The full commit id; archives have none.
    pub commit: Option<&'a str>,
    /// When the commit was made, in seconds since 1970, as its author says.
    pub committed_at: Option<i64>,
    /// The hash of the whole tree.
    pub tree: Sha256Digest,
    /// The folder of the whole tree.
    pub root: &'a Path,
    /// The hash of the bundle that says that this is the source's code, where nothing else does.
    pub bundle: Option<Sha256Digest>,
}

impl<'a> Subject<'a> {
    /// The code of a resolved source.
    pub fn of(source: &'a ResolvedSource) -> Self {
        Self {
            reference: &source.reference,
            identity: &source.identity,
            commit: source.commit.as_ref().map(|commit| commit.id.as_str()),
            committed_at: source.commit.as_ref().and_then(|commit| commit.committed_at),
            tree: source.tree_hash,
            root: &source.root,
            bundle: source.bundle,
        }
    }

    /// A spelling of exactly this code.
    fn spelling(&self) -> String {
        let exact = self.commit.and_then(|commit| Revision::named(commit).ok());
        exact
            .map_or_else(
                || self.reference.clone(),
                |commit| self.reference.clone().with_revision(commit),
            )
            .to_string()
    }
}

/// What is known of one's trust in a source's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustState {
    /// It was allowed.
    Trusted,
    /// Nobody has decided yet.
    Untrusted,
    /// Another state of the source was allowed; this one is new.
    Stale,
    /// It was denied.
    Denied,
}

impl fmt::Display for TrustState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Trusted => "trusted",
            Self::Untrusted => "untrusted",
            Self::Stale => "stale",
            Self::Denied => "denied",
        })
    }
}

/// Whether code may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Trusted(Grounds),
    /// The user has to be asked.
    Undecided(Undecided),
}

/// Why code may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grounds {
    /// The user named a folder on his own machine.
    OwnFolder,
    /// The configuration allows its owner or source.
    Policy,
    /// The user allowed exactly this tree.
    Decision,
}

/// Code that nobody has decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The source's identity.
    pub identity: String,
    /// [`TrustState::Untrusted`], or [`TrustState::Stale`] when another state of it was allowed.
    pub state: TrustState,
    /// The commit that was allowed last, where the state is stale.
    pub allowed_commit: Option<String>,
    /// Exactly this code, as a person would spell it.
    pub source: String,
}

impl Undecided {
    /// The error for where nobody can be asked.
    pub fn into_error(self) -> TrustError {
        TrustError::NotTrusted(Box::new(self))
    }
}

/// Decides whether the code of `subject` may be built and run.
///
/// # Errors
/// It is denied, or the policy refuses it: too young, or without the signature that is asked for; or what is needed to
/// know cannot be read.
pub fn check(
    subject: &Subject<'_>,
    policy: &TrustPolicy,
    decisions: &TrustStore,
    now: SystemTime,
) -> Result<Verdict, TrustError> {
    let identity = subject.identity;
    if let Some(entry) = policy
        .deny
        .iter()
        .find(|entry| pattern::covers_any_case(entry, identity))
    {
        return Err(TrustError::DeniedByPolicy {
            identity: identity.to_owned(),
            entry: entry.clone(),
        });
    }
    if subject.reference.is_local_path() {
        return Ok(Verdict::Trusted(Grounds::OwnFolder));
    }
    let decisions = decisions.list()?;
    let state = state_in(&decisions, identity, subject.tree);
    if state == TrustState::Denied {
        return Err(TrustError::Denied {
            identity: identity.to_owned(),
        });
    }
    check_age(subject, policy, now)?;
    signature::check(subject, policy)?;
    // What a bundle says to be its owner's is that only where the owner has signed it.
    let is_the_owners = subject.bundle.is_none() || key_for(identity, policy).is_some();
    if is_the_owners && policy.allow.iter().any(|entry| pattern::covers(entry, identity)) {
        return Ok(Verdict::Trusted(Grounds::Policy));
    }
    if state == TrustState::Trusted {
        return Ok(Verdict::Trusted(Grounds::Decision));
    }
    let allowed = decisions
        .iter()
        .rev()
        .find(|decision| decision.identity == identity);
    Ok(Verdict::Undecided(Undecided {
        identity: identity.to_owned(),
        state,
        allowed_commit: allowed.and_then(|decision| decision.commit.clone()),
        source: subject.spelling(),
    }))
}

/// What the decisions, oldest first, say about this tree of a source.
fn state_in(decisions: &[Decision], identity: &str, tree: Sha256Digest) -> TrustState {
    let denied = |decision: &Decision| {
        decision.kind == DecisionKind::Denied && pattern::covers_any_case(&decision.identity, identity)
    };
    if decisions.iter().any(denied) {
        return TrustState::Denied;
    }
    let mut allowed = decisions
        .iter()
        .filter(|decision| decision.kind == DecisionKind::Allowed && decision.identity == identity)
        .peekable();
    if allowed.peek().is_none() {
        TrustState::Untrusted
    } else if allowed.any(|decision| decision.tree == Some(tree)) {
        TrustState::Trusted
    } else {
        TrustState::Stale
    }
}

/// That the commit is as old as the policy asks. Its date is the author's word: the rule gives the world time to notice
/// a stolen account, it does not catch a thief who writes an old date.
fn check_age(subject: &Subject<'_>, policy: &TrustPolicy, now: SystemTime) -> Result<(), TrustError> {
    let minimum_days = policy.minimum_age_days;
    if minimum_days == 0 {
        return Ok(());
    }
    let identity = subject.identity.to_owned();
    let seconds = subject
        .committed_at
        .and_then(|seconds| u64::try_from(seconds).ok());
    let Some(committed) = seconds.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
    else {
        return Err(TrustError::UnknownAge {
            identity,
            minimum_days,
        });
    };
    // A commit from the future has no age at all.
    let age = now.duration_since(committed).unwrap_or_default();
    let days = age.as_secs() / SECONDS_A_DAY;
    if days < u64::from(minimum_days) {
        return Err(TrustError::TooYoung {
            identity,
            days,
            minimum_days,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
