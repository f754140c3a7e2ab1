//! What a format cannot hold.

use std::collections::BTreeMap;

/// Counts what is left out, by reason.
#[derive(Debug, Default)]
pub(super) struct Notes {
    counts: BTreeMap<String, u64>,
}

impl Notes {
    /// Counts one thing that is left out; `what` completes "12 ...".
    pub fn add(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    /// A line for each reason.
    pub fn into_lines(self) -> Vec<String> {
        self.counts
            .into_iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect()
    }
}
