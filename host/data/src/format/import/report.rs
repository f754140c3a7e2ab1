//! What an import leaves out, and what it takes over differently.

use super::FormatError;
use crate::format::{Losses, notes::Notes};

/// Collects what is wrong with what is imported.
#[derive(Debug, Default)]
pub struct ImportReport {
    is_strict: bool,
    losses: Losses,
    notes: Notes,
    said: Vec<String>,
}

impl ImportReport {
    /// Everything that is clear is imported, and the rest is named.
    pub fn lenient() -> Self {
        Self::default()
    }

    /// The first thing that cannot be imported ends the import.
    pub fn strict() -> Self {
        Self {
            is_strict: true,
            ..Self::default()
        }
    }

    /// Something (a label, a sample) cannot be imported.
    ///
    /// # Errors
    /// The reason itself, where the import is strict.
    pub(super) fn lose(&mut self, reason: FormatError) -> Result<(), FormatError> {
        if self.is_strict {
            return Err(reason);
        }
        self.losses.add(reason.to_string());
        Ok(())
    }

    /// Something is imported in another form than it stands there; `what` completes "12 ...".
    pub(super) fn note(&mut self, what: impl Into<String>, place: impl ToString) {
        self.notes.add_at(what, place);
    }

    /// Something is worth a line of its own.
    pub(super) fn say(&mut self, line: String) {
        self.said.push(line);
    }

    /// What was left out; and what was changed or is doubtful, a line each.
    pub fn finish(self) -> (Losses, Vec<String>) {
        let mut lines = self.said;
        lines.extend(self.notes.into_lines());
        (self.losses, lines)
    }
}
