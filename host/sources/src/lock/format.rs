//! The lock as text.
use super::{Lock, LockError, LockedSource, SourceKey};
use modelzoo_base::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// The version that is written, and the only one so far.
const VERSION: u32 = 1;

const HEADER: &str =
    "# Written by modelzoo: what every source and model resolved to. Keep it under version control.\n";

/// What is looked at before the rest, which another version may have changed.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, rename = "source", skip_serializing_if = "Vec::is_empty")]
    sources: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    identity: String,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<CommitId>,
    tree: Sha256Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    cargo_lock: Option<Sha256Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    built_in: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    artifacts: BTreeMap<String, Sha256Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    prebuilt: BTreeMap<String, Sha256Digest>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    weights: BTreeMap<String, BTreeMap<String, Sha256Digest>>,
}

/// 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits: it goes to Git as it is.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "String")]
struct CommitId(String);

impl TryFrom<String> for CommitId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if matches!(text.len(), 40 | 64) && text.bytes().all(is_digit) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is no full commit id"))
        }
    }
}

impl Lock {
    /// Reads the text of the lock file `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, LockError> {
        let invalid = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            LockError::Invalid {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                message: error.message().to_owned(),
            }
        };
        let version = toml::from_str::<VersionOnly>(text).map_err(invalid)?.version;
        if version > VERSION {
            return Err(LockError::Newer {
                path: path.to_owned(),
                version,
            });
        }
        let document: Document = toml::from_str(text).map_err(invalid)?;
        let mut sources = BTreeMap::new();
        for entry in document.sources {
            let key = SourceKey {
                identity: entry.identity,
                revision: entry.revision,
            };
            let source = LockedSource {
                commit: entry.commit.map(|commit| commit.0),
                tree: entry.tree,
                cargo_lock: entry.cargo_lock,
                built_in: entry.built_in,
                artifacts: entry.artifacts,
                prebuilt: entry.prebuilt,
                weights: entry.weights,
            };
            if sources.contains_key(&key) {
                // Two people's changes, merged: nobody but they can say which is right.
                let message = format!("{key} is locked twice");
                let line = text
                    .lines()
                    .position(|line| line.contains(&key.identity))
                    .unwrap_or(0)
                    + 1;
                return Err(LockError::Invalid {
                    path: path.to_owned(),
                    line,
                    message,
                });
            }
            sources.insert(key, source);
        }
        Ok(Self { sources })
    }

    /// The text of the lock, the same for the same content.
    pub fn to_toml(&self) -> String {
        let entry = |(key, source): (&SourceKey, &LockedSource)| Entry {
            identity: key.identity.clone(),
            revision: key.revision.clone(),
            commit: source.commit.clone().map(CommitId),
            tree: source.tree,
            cargo_lock: source.cargo_lock,
            built_in: source.built_in.clone(),
            artifacts: source.artifacts.clone(),
            prebuilt: source.prebuilt.clone(),
            weights: source.weights.clone(),
        };
        let document = Document {
            version: VERSION,
            sources: self.sources.iter().map(entry).collect(),
        };
        match toml::to_string(&document) {
            Ok(text) => format!("{HEADER}{text}"),
            Err(error) => unreachable!("tables of texts with texts as keys are TOML: {error}"),
        }
    }
}
