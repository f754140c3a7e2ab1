//! From an error down to its first cause.

use std::{error::Error, io, iter};

/// The error itself and its causes, outermost first.
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The error and its causes in one line, joined by colons.
pub fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let levels: Vec<String> = chain(error).map(ToString::to_string).collect();
    levels.join(": ")
}

/// Whether the reader of what was written has seen enough and gone, as `head` does: no failure that needs a message.
pub fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| {
        // An error inside of an `io::Error` is not its source; that error's source is.
        let mut at = cause.downcast_ref::<io::Error>();
        while let Some(error) = at {
            if error.kind() == io::ErrorKind::BrokenPipe {
                return true;
            }
            at = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<io::Error>());
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the results cannot be written")]
    struct Outer {
        source: io::Error,
    }

    #[test]
    fn each_level_is_told_once() {
        let error = Outer {
            source: io::Error::other("no more paper"),
        };
        assert_eq!(
            in_one_line(&error),
            "the results cannot be written: no more paper"
        );
    }

    #[test]
    fn a_reader_that_went_away_is_found_at_any_depth() {
        let gone = Outer {
            source: io::ErrorKind::BrokenPipe.into(),
        };
        assert!(is_broken_pipe(&gone));
        assert!(is_broken_pipe(&Outer {
            source: io::Error::other(io::Error::from(io::ErrorKind::BrokenPipe))
        }));
        assert!(!is_broken_pipe(&Outer {
            source: io::ErrorKind::NotFound.into()
        }));
    }
}
