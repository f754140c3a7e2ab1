//! Errors of plugins: anything that implements [`std::error::Error`] becomes one with `?`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The result of everything a plugin does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong, for those who act on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The model has no such ability, or the other side no such method.
    Unsupported,
    /// This input cannot be used; others may.
    InvalidInput,
    /// An option is unknown or has a wrong value.
    InvalidOption,
    /// The weights are missing or cannot be read.
    Weights,
    /// The user stopped it.
    Cancelled,
    /// The plugin panicked.
    Panic,
    /// Anything without a kind of its own.
    #[default]
    #[serde(other)]
    Other,
}

/// An error with its causes and, where there is one, the next step.
///
/// Like `anyhow::Error` it does not implement [`std::error::Error`], so that every error converts into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Error {
    /// An error that says `message`.
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            ..Self::default()
        }
    }

    /// The model has no such ability.
    pub fn unsupported(message: impl fmt::Display) -> Self {
        Self::new(message).with_kind(ErrorKind::Unsupported)
    }

    /// An option is unknown or has a wrong value, or there is no model of that name: what the user can change.
    pub fn invalid_option(message: impl fmt::Display) -> Self {
        Self::new(message).with_kind(ErrorKind::InvalidOption)
    }

    /// Sets the kind.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Says what the user can do next.
    pub fn with_hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong, without causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Why, outermost cause first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What the user can do next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    /// The message and its causes in one line, joined by colons.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        self.causes
            .iter()
            .try_for_each(|cause| write!(formatter, ": {cause}"))
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self {
            message: error.to_string(),
            causes,
            ..Self::default()
        }
    }
}

/// Adds what was being done to an error, as anyhow does.
pub trait Context<T> {
    /// Puts `message` before the error, which becomes its cause.
    ///
    /// # Errors
    /// The error of `self`, so extended.
    fn context(self, message: impl fmt::Display) -> Result<T>;

    /// As [`Context::context`], with a message that is only made when it is needed.
    ///
    /// # Errors
    /// The error of `self`, so extended.
    fn with_context<M: fmt::Display>(self, message: impl FnOnce() -> M) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, message: impl fmt::Display) -> Result<T> {
        self.with_context(|| message)
    }

    fn with_context<M: fmt::Display>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|error| {
            let mut error: Error = error.into();
            error
                .causes
                .insert(0, std::mem::replace(&mut error.message, message().to_string()));
            error
        })
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, message: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Error::new(message))
    }

    fn with_context<M: fmt::Display>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.ok_or_else(|| Error::new(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_causes_kind_and_hint() {
        let result: Result<()> = "x"
            .parse::<u8>()
            .map(|_| ())
            .context("reading the size")
            .context("loading");
        let error = result
            .unwrap_err()
            .with_kind(ErrorKind::Weights)
            .with_hint("download it again");
        assert_eq!(
            error.to_string(),
            "loading: reading the size: invalid digit found in string"
        );
        assert_eq!(error.kind(), ErrorKind::Weights);
        assert_eq!(error.hint(), Some("download it again"));
    }

    #[test]
    fn a_kind_that_is_not_known_is_read_as_other() {
        let error: Error =
            serde_json::from_str(r#"{"kind":"invented","message":"m","new_field":1}"#).unwrap();
        assert_eq!(error, Error::new("m"));
    }
}
