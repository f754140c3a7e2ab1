//! What can go wrong with what is not on this machine.

use std::{error::Error, io};

/// Why something behind a URL cannot be had or written. Its message is one line, without the URL, which the error around
/// it names.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{told}")]
pub struct StorageError {
    cause: Cause,
    told: String,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// It is not there.
    NotFound,
    /// There are no credentials, or they are not valid, or not any more: nothing else in the store will be had either.
    Credentials,
    /// The credentials are good, but not for this.
    Denied,
    /// The server does not answer, or asks for patience again and again.
    Unavailable,
    /// Its content ended before its end, again and again.
    Cut,
    /// Something else.
    Other,
}

/// Codes of answers that mean that credentials are no good, with what they mean.
const CREDENTIALS: [(&str, &str); 9] = [
    (
        "ExpiredToken",
        "the credentials have expired: renew them, and run this again",
    ),
    (
        "TokenRefreshRequired",
        "the credentials have expired: renew them, and run this again",
    ),
    (
        "RequestExpired",
        "the credentials have expired: renew them, and run this again",
    ),
    ("InvalidAccessKeyId", "the store does not know the credentials"),
    ("InvalidToken", "the store does not know the credentials"),
    ("InvalidClientTokenId", "the store does not know the credentials"),
    (
        "SignatureDoesNotMatch",
        "the secret key is not that of the access key",
    ),
    (
        "RequestTimeTooSkewed",
        "the clock of this machine is wrong, so that the store takes no signature of it",
    ),
    ("AuthenticationFailed", "the store does not know the credentials"),
];

/// What the libraries below say of answers that end too early.
const CUT_OFF: [&str; 4] = [
    "end of file before message length reached",
    "connection closed before message completed",
    "error decoding response body",
    "unexpected EOF",
];

/// What begins the status of an answer in the messages of the stores' library, which gives it in no other way.
const STATUS: &str = "non-2xx status code: ";

impl StorageError {
    pub(crate) fn new(cause: Cause, told: impl Into<String>) -> Self {
        Self {
            cause,
            told: told.into(),
        }
    }

    pub(crate) fn invalid(problem: impl std::fmt::Display) -> Self {
        Self::new(
            Cause::Other,
            format!("this is no URL that can be used: {problem}"),
        )
    }

    pub(crate) fn other(told: impl Into<String>) -> Self {
        Self::new(Cause::Other, told)
    }

    /// What kind of failure it is.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The error of a store, where that is what an error of reading or writing is about.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<StorageError> for io::Error {
    fn from(error: StorageError) -> Self {
        let kind = match error.cause {
            Cause::NotFound => io::ErrorKind::NotFound,
            // The advice for files, about their owners and modes, would not fit.
            Cause::Credentials | Cause::Denied | Cause::Unavailable | Cause::Cut | Cause::Other => {
                io::ErrorKind::Other
            }
        };
        Self::new(kind, error)
    }
}

impl From<object_store::Error> for StorageError {
    fn from(error: object_store::Error) -> Self {
        let text = text_of(&error);
        if let object_store::Error::NotFound { .. } = error {
            let told = match code_of(&text) {
                Some(code) if code == "NoSuchBucket" => "there is no such bucket",
                _ => "there is nothing of the name",
            };
            return Self::new(Cause::NotFound, told);
        }
        let known = CREDENTIALS.iter().find(|(code, _)| text.contains(code));
        if let Some((_, told)) = known {
            return Self::new(Cause::Credentials, *told);
        }
        let answer = answer(&text);
        match error {
            object_store::Error::PermissionDenied { .. } => {
                Self::new(Cause::Denied, format!("the store does not allow it{answer}"))
            }
            object_store::Error::Unauthenticated { .. } => Self::new(
                Cause::Credentials,
                format!("the store wants credentials, or others{answer}"),
            ),
            _ if status_of(&text).is_some_and(|status| status >= 500 || status == 429) => Self::new(
                Cause::Unavailable,
                format!("the server asks for patience again and again{answer}"),
            ),
            _ if status_of(&text).is_some() => Self::other(format!("the server refuses it{answer}")),
            _ if CUT_OFF.iter().any(|sign| text.contains(sign)) => {
                Self::new(Cause::Cut, "the answer was cut off, again and again")
            }
            // What the library says of itself is long; the last cause is what somebody can do something about.
            _ => Self::new(Cause::Unavailable, last_cause(&error)),
        }
    }
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<object_store::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::new(Cause::Unavailable, last_cause(&error)),
        }
    }
}

/// All that an error says, with its causes.
fn text_of(error: &(dyn Error + 'static)) -> String {
    modelzoo_base::error::in_one_line(error)
}

fn last_cause(error: &(dyn Error + 'static)) -> String {
    let last = modelzoo_base::error::chain(error).last();
    let told = last.map(ToString::to_string).unwrap_or_default();
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// ` (503 SlowDown)`, as far as it is known.
fn answer(text: &str) -> String {
    let status = status_of(text).map(|status| status.to_string());
    let parts: Vec<String> = status.into_iter().chain(code_of(text)).collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!(" ({})", parts.join(" ")),
    }
}

fn status_of(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once(STATUS)?;
    rest.get(..3)?.parse().ok()
}

/// The code in the body of an answer in XML, as S3 and Azure have it.
fn code_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = code.len() < 64 && code.chars().all(|letter| letter.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Cause, String) {
        let source = Box::new(io::Error::other(text.to_owned()));
        let error = StorageError::from(object_store::Error::Generic { store: "S3", source });
        (error.cause(), error.to_string())
    }

    #[test]
    fn answers_are_told_in_a_line() {
        let slow = "Server returned non-2xx status code: 503 Service Unavailable: <Error><Code>SlowDown</Code></Error>";
        assert_eq!(
            told(slow),
            (
                Cause::Unavailable,
                "the server asks for patience again and again (503 SlowDown)".to_owned()
            )
        );
        let expired = "Server returned non-2xx status code: 400 Bad Request: <Error>\n<Code>ExpiredToken</Code></Error>";
        assert_eq!(told(expired).0, Cause::Credentials);
        let strange = "Server returned non-2xx status code: 418 : <Code>\u{1b}[31m</Code>";
        assert_eq!(told(strange).1, "the server refuses it (418)");
        assert_eq!(told("connection\nrefused").1, "connection refused");
        assert_eq!(told("end of file before message length reached").0, Cause::Cut);
    }

    #[test]
    fn it_is_found_in_what_reading_fails_with() {
        let error = io::Error::from(StorageError::new(Cause::Credentials, "expired"));
        assert_eq!(
            StorageError::of(&error).map(StorageError::cause),
            Some(Cause::Credentials)
        );
        assert!(StorageError::of(&io::Error::other("x")).is_none());
    }
}
