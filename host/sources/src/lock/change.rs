//! The difference between two locks, to be read by people.
use super::{Lock, LockedSource};
use modelzoo_base::Sha256Digest;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// One difference between two locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The source, as it was asked for.
    pub source: String,
    /// What of it: `commit`, `tree`, `weights of NAME: PATH`...; `None` for the whole source.
    pub part: Option<String>,
    /// The value in the old lock; `None` if it has none.
    pub before: Option<String>,
    /// The value in the new lock; `None` if it has none.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self
            .part
            .as_ref()
            .map(|part| format!(" {part}"))
            .unwrap_or_default();
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(formatter, "~ {}{part}: {before} -> {after}", self.source),
            (None, Some(after)) => write!(formatter, "+ {}{part}: {after}", self.source),
            (Some(before), None) => write!(formatter, "- {}{part}: {before}", self.source),
            (None, None) => write!(formatter, "  {}{part}", self.source),
        }
    }
}

impl Lock {
    /// What must change in this lock to make it `new`, sorted by source.
    pub fn changes_to(&self, new: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for key in self
            .sources
            .keys()
            .chain(new.sources.keys().filter(|key| !self.sources.contains_key(key)))
        {
            let whole =
                |source: &LockedSource| source.commit.clone().unwrap_or_else(|| source.tree.to_string());
            match (self.sources.get(key), new.sources.get(key)) {
                (Some(before), Some(after)) => compare(&key.to_string(), before, after, &mut changes),
                (before, after) => changes.push(Change {
                    source: key.to_string(),
                    part: None,
                    before: before.map(whole),
                    after: after.map(whole),
                }),
            }
        }
        changes.sort_by(|one, other| (&one.source, &one.part).cmp(&(&other.source, &other.part)));
        changes
    }
}

fn compare(source: &str, before: &LockedSource, after: &LockedSource, changes: &mut Vec<Change>) {
    let (before, after) = (parts(before), parts(after));
    for part in before
        .keys()
        .chain(after.keys().filter(|part| !before.contains_key(*part)))
    {
        let (before, after) = (before.get(part), after.get(part));
        if before != after {
            changes.push(Change {
                source: source.to_owned(),
                part: Some(part.clone()),
                before: before.cloned(),
                after: after.cloned(),
            });
        }
    }
}

/// All that a locked source says, flat.
fn parts(source: &LockedSource) -> BTreeMap<String, String> {
    let digest = |digest: &Sha256Digest| digest.to_string();
    let mut parts = BTreeMap::from([("tree".to_owned(), digest(&source.tree))]);
    parts.extend(
        source
            .commit
            .iter()
            .map(|commit| ("commit".to_owned(), commit.clone())),
    );
    parts.extend(
        source
            .cargo_lock
            .iter()
            .map(|hash| ("Cargo.lock".to_owned(), digest(hash))),
    );
    parts.extend(
        source
            .built_in
            .iter()
            .map(|version| ("built-in plugin".to_owned(), version.clone())),
    );
    parts.extend(
        source
            .artifacts
            .iter()
            .map(|(target, hash)| (format!("plugin for {target}"), digest(hash))),
    );
    parts.extend(
        source
            .prebuilt
            .iter()
            .map(|(name, hash)| (format!("prebuilt plugin for {name}"), digest(hash))),
    );
    for (model, files) in &source.weights {
        parts.extend(
            files
                .iter()
                .map(|(path, hash)| (format!("weights of {model}: {path}"), digest(hash))),
        );
    }
    parts
}
