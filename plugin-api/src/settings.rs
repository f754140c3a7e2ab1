//! What is wrong with a source's own options, in words: serde's are about types of Rust.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// So much of a value is told.
const TOLD_LETTERS: usize = 80;

/// Why `settings` are no `T`, given what serde said of it.
pub(crate) fn problem<T: DeserializeOwned>(
    settings: &Map<String, Value>,
    error: &serde_json::Error,
) -> String {
    let said = error.to_string();
    if let Some(unknown) = unknown_option(&said) {
        return unknown;
    }
    let is_culprit = |(name, value): &(&String, &Value)| {
        let alone = Map::from_iter([((*name).clone(), (*value).clone())]);
        serde_json::from_value::<T>(alone.into()).is_err_and(|error| error.to_string() == said)
    };
    match (settings.iter().find(is_culprit), said.split_once(", expected ")) {
        (Some((name, value)), Some((_, expected))) => {
            let mut value = value.to_string();
            if let Some((end, _)) = value.char_indices().nth(TOLD_LETTERS) {
                value.truncate(end);
                value.push_str("...");
            }
            format!("`{name}` cannot be {value}: {} is expected", in_words(expected))
        }
        (Some((name, _)), None) => format!("`{name}`: {said}"),
        (None, _) => format!("an option cannot be used: {said}"),
    }
}

/// `there is no option tpo; there is top`, where that is what serde said.
fn unknown_option(said: &str) -> Option<String> {
    let (name, rest) = said.strip_prefix("unknown field `")?.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let known = match known.as_slice() {
        [] => "there are none".to_owned(),
        [one] => format!("there is `{one}`"),
        several => format!("there are `{}`", several.join("`, `")),
    };
    Some(format!("there is no option `{name}`; {known}"))
}

fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below 0,",
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => {
            "a whole number from 1 on"
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "str" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::num::NonZeroU32;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code, reason = "only what cannot be read matters")]
    struct Settings {
        top: usize,
        threshold: f64,
        step: Option<NonZeroU32>,
        classes: Option<Vec<String>>,
        mode: Mode,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        #[default]
        Fast,
        Exact,
    }

    fn told<T: DeserializeOwned>(text: &str) -> String {
        let settings: Map<String, Value> = serde_json::from_str(text).unwrap();
        let error = serde_json::from_value::<T>(settings.clone().into())
            .err()
            .unwrap();
        problem::<T>(&settings, &error)
    }

    #[test]
    fn no_option_is_refused_in_the_words_of_a_type() {
        for (text, expected) in [
            (
                r#"{"top": -1}"#,
                "`top` cannot be -1: a whole number, not below 0, is expected",
            ),
            (
                r#"{"threshold": 1, "top": "3"}"#,
                "`top` cannot be \"3\": a whole number, not below 0, is expected",
            ),
            (
                r#"{"threshold": "high"}"#,
                "`threshold` cannot be \"high\": a number is expected",
            ),
            (
                r#"{"step": 0}"#,
                "`step` cannot be 0: a whole number from 1 on is expected",
            ),
            (r#"{"classes": 3}"#, "`classes` cannot be 3: a list is expected"),
            (
                r#"{"classes": [3]}"#,
                "`classes` cannot be [3]: a text is expected",
            ),
            (
                r#"{"mode": "slow"}"#,
                "`mode` cannot be \"slow\": `fast` or `exact` is expected",
            ),
            (
                r#"{"tpo": 3}"#,
                "there is no option `tpo`; there are `top`, `threshold`, `step`, `classes`, `mode`",
            ),
        ] {
            assert_eq!(told::<Settings>(text), expected);
        }
        let long = told::<Settings>(&format!(r#"{{"top": "{}"}}"#, "x".repeat(1000)));
        assert!(
            long.len() < 200 && long.contains("x...: a whole number"),
            "{long}"
        );
    }

    #[test]
    fn options_that_must_be_there_are_named() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "only what cannot be read matters")]
        struct Strict {
            prompt: String,
        }
        assert_eq!(
            told::<Strict>("{}"),
            "an option cannot be used: missing field `prompt`"
        );
        assert_eq!(
            told::<Strict>(r#"{"x": 1}"#),
            "there is no option `x`; there is `prompt`"
        );
    }
}
