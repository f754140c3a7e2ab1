//! Why JSON is not a label.

/// Why JSON is not a label: one line with the place and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{expected}, not {found}", if location.is_empty() { String::new() } else { format!("{location}: ") })]
pub struct LabelError {
    /// Where in the JSON, such as `detections[3].bounding_box`; empty for the whole.
    pub location: String,
    /// What should be there, such as "expected a number".
    pub expected: String,
    /// What is there, cut short.
    pub found: String,
}

impl LabelError {
    /// An error about `found`, at a place that [`LabelError::within`] then names.
    pub(super) fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        const LONGEST: usize = 60;
        let found: String = found.into();
        let cut: String = found.chars().take(LONGEST).collect();
        let found = if cut.len() < found.len() {
            format!("{cut}...")
        } else {
            found
        };
        Self {
            location: String::new(),
            expected: expected.into(),
            found,
        }
    }

    pub(super) fn expected(what: &str, found: &serde_json::Value) -> Self {
        Self::new(format!("expected {what}"), found.to_string())
    }

    /// The same error, one level further out.
    pub(super) fn within(mut self, place: &str) -> Self {
        let separator = if self.location.is_empty() || self.location.starts_with('[') {
            ""
        } else {
            "."
        };
        self.location = format!("{place}{separator}{}", self.location);
        self
    }
}
