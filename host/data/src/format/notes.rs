//! What was not taken over as it stands.

use std::collections::BTreeMap;

/// So many things are named one by one; the rest is counted.
const NAMED: usize = 10_000;

/// Counts what is left out or changed, by reason.
#[derive(Debug, Default)]
pub(super) struct Notes {
    counts: BTreeMap<String, Count>,
}

#[derive(Debug, Default)]
struct Count {
    count: u64,
    first: Option<String>,
}

impl Notes {
    /// Counts one thing; `what` completes "12 ...".
    pub fn add(&mut self, what: impl Into<String>) {
        self.counts.entry(what.into()).or_default().count += 1;
    }

    /// As [`Notes::add`]; the first place is told.
    pub fn add_at(&mut self, what: impl Into<String>, place: impl ToString) {
        let count = self.counts.entry(what.into()).or_default();
        count.count += 1;
        count.first.get_or_insert_with(|| place.to_string());
    }

    /// A line for each reason.
    pub fn into_lines(self) -> Vec<String> {
        let line = |(what, Count { count, first }): (String, Count)| match first {
            Some(first) if count > 1 => format!("{count} {what} (the first: {first})"),
            Some(only) => format!("{count} {what} ({only})"),
            None => format!("{count} {what}"),
        };
        self.counts.into_iter().map(line).collect()
    }
}

/// What failed by itself, while the rest went on: named one by one, up to a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    count: u64,
    named: Vec<String>,
}

impl Losses {
    /// Adds one, in a line that names it.
    pub fn add(&mut self, line: String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(line);
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A line for each, or for the first ten thousand.
    pub fn named(&self) -> &[String] {
        &self.named
    }
}
