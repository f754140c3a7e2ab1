//! The decisions of a user, in a TOML file that he can read.
use super::{Subject, TrustError, TrustState, pattern, state_in};
use jiff::Timestamp;
use modelzoo_base::{Sha256Digest, file};
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
};

const FILE_NAME: &str = "trust.toml";
const HEADER: &str = "# Written by modelzoo: whose code may run here. See `modelzoo trust`.\n";

/// The decisions of a user.
#[derive(Clone, Debug)]
pub struct TrustStore {
    path: PathBuf,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The source's identity; for a denial, it may also be an owner or a host.
    pub identity: String,
    /// What was decided.
    #[serde(rename = "decision")]
    pub kind: DecisionKind,
    /// The tree that was allowed. A denial is of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<Sha256Digest>,
    /// The commit of that tree, for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    /// This tree of the source may run.
    Allowed,
    /// Nothing of it may run.
    Denied,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default, rename = "decision", skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Decision>,
}

impl TrustStore {
    /// The decisions in the folder `data` ([`Store::default_data_dir`](crate::Store::default_data_dir)), which need not
    /// exist.
    pub fn new(data: impl AsRef<Path>) -> Self {
        Self {
            path: data.as_ref().join(FILE_NAME),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All decisions, the oldest first.
    pub fn list(&self) -> Result<Vec<Decision>, TrustError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => self.parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(TrustError::file("read", &self.path)(error)),
        }
    }

    /// What is decided about this tree of a source.
    pub fn state(&self, identity: &str, tree: Sha256Digest) -> Result<TrustState, TrustError> {
        Ok(state_in(&self.list()?, identity, tree))
    }

    /// Allows exactly the code of `subject`. It takes back a denial of the same source; other trees of it that were
    /// allowed stay so.
    pub fn allow(&self, subject: &Subject<'_>) -> Result<(), TrustError> {
        let decision = Decision {
            identity: subject.identity.to_owned(),
            kind: DecisionKind::Allowed,
            tree: Some(subject.tree),
            commit: subject.commit.map(str::to_owned),
            decided_at: now(),
        };
        self.update(|decisions| {
            decisions.retain(|other| {
                other.identity != decision.identity
                    || other.kind == DecisionKind::Allowed && other.tree != decision.tree
            });
            decisions.push(decision);
        })
    }

    /// Denies all code of a source, or of an owner or host (`github.com/acme`), whatever was allowed of it.
    pub fn deny(&self, identity: &str) -> Result<(), TrustError> {
        self.update(|decisions| {
            decisions.retain(|other| !pattern::covers_any_case(identity, &other.identity));
            decisions.push(Decision {
                identity: identity.to_owned(),
                kind: DecisionKind::Denied,
                tree: None,
                commit: None,
                decided_at: now(),
            });
        })
    }

    /// Forgets all decisions about a source; gives them.
    pub fn revoke(&self, identity: &str) -> Result<Vec<Decision>, TrustError> {
        let mut revoked = Vec::new();
        self.update(|decisions| {
            revoked = decisions
                .extract_if(.., |decision| decision.identity == identity)
                .collect();
        })?;
        Ok(revoked)
    }

    fn update(&self, change: impl FnOnce(&mut Vec<Decision>)) -> Result<(), TrustError> {
        let guard = self.path.with_extension("guard");
        let updated = |text: Option<String>| -> Result<_, WriteFailure> {
            let decisions = text
                .map_or_else(|| Ok(Vec::new()), |text| self.parse(&text))
                .map_err(WriteFailure::Trust)?;
            let mut document = Document { decisions };
            change(&mut document.decisions);
            match toml::to_string(&document) {
                Ok(text) => Ok(Some(format!("{HEADER}{text}"))),
                Err(error) => unreachable!("tables of texts are TOML: {error}"),
            }
        };
        file::update(&self.path, &guard, updated).map_err(|failure| match failure {
            WriteFailure::Trust(error) => error,
            WriteFailure::File(error) => TrustError::file("write", &self.path)(error),
        })
    }

    fn parse(&self, text: &str) -> Result<Vec<Decision>, TrustError> {
        let damaged = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            TrustError::Damaged {
                path: self.path.clone(),
                line: before.unwrap_or_default().matches('\n').count() + 1,
                problem: error.message().to_owned(),
            }
        };
        Ok(toml::from_str::<Document>(text).map_err(damaged)?.decisions)
    }
}

/// The present second: nobody needs more.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Carries both kinds of errors through an update.
enum WriteFailure {
    Trust(TrustError),
    File(io::Error),
}

impl From<io::Error> for WriteFailure {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}
