//! Numbers as arguments, whose errors say in words what is allowed.

use std::{num::NonZero, str::FromStr};

/// More pictures than this are in no memory at once, and a plugin takes them all at once.
const LARGEST_BATCH: usize = 65_536;

/// More threads than this wait for each other.
const MOST_THREADS: usize = 1024;

/// How many pictures go to a model at once.
pub(super) fn batch_size(text: &str) -> Result<NonZero<usize>, String> {
    at_most(LARGEST_BATCH, text)
}

/// How many threads do something.
pub(super) fn threads(text: &str) -> Result<NonZero<usize>, String> {
    at_most(MOST_THREADS, text)
}

/// A place or a step that is counted from 1: a `NonZero`.
pub(super) fn counted<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| "it is a whole number from 1 on".to_owned())
}

/// How sure a model is.
pub(super) fn confidence(text: &str) -> Result<f64, String> {
    number(text, "from 0 to 1", |value| (0.0..=1.0).contains(&value))
}

/// How many frames of a second.
pub(super) fn frame_rate(text: &str) -> Result<f64, String> {
    number(text, "above 0", |value| value > 0.0)
}

/// By how much a patch is larger than its box.
pub(super) fn alpha(text: &str) -> Result<f64, String> {
    number(text, "from -1 on", |value| value >= -1.0)
}

fn at_most(most: usize, text: &str) -> Result<NonZero<usize>, String> {
    match text.parse::<NonZero<usize>>() {
        Ok(count) if count.get() <= most => Ok(count),
        _ => Err(format!("it is a whole number from 1 to {most}")),
    }
}

fn number(text: &str, allowed: &str, is_allowed: impl Fn(f64) -> bool) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && is_allowed(value) => Ok(value),
        _ => Err(format!("it is a number {allowed}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_refused_in_the_words_of_a_type() {
        let from_one = Err("it is a whole number from 1 on".to_owned());
        for text in ["0", "-1", "", "one", "1.5", "4294967296"] {
            assert_eq!(counted::<NonZero<u32>>(text), from_one, "{text}");
        }
        assert_eq!(counted::<NonZero<u32>>("7").map(NonZero::get), Ok(7));
        assert_eq!(
            threads("0"),
            Err("it is a whole number from 1 to 1024".to_owned())
        );
        assert_eq!(frame_rate("inf"), Err("it is a number above 0".to_owned()));
        assert_eq!(confidence("NaN"), Err("it is a number from 0 to 1".to_owned()));
        assert_eq!(alpha("-1"), Ok(-1.0));
        assert!(batch_size("0").is_err() && batch_size("4000000000").is_err());
        assert!(confidence("1.1").is_err() && frame_rate("0").is_err() && alpha("-1.5").is_err());
    }
}
