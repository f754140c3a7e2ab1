//! What safe code cannot do, also within the crate: the lines of `boundary/misuse.rs` do not compile.
#![cfg(not(miri))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, process::Command};

const MISUSE: &str = "tests/boundary/misuse.rs";
const CODE: &str = include_str!("boundary/misuse.rs");

/// Lines with the codes of their errors.
type Errors = BTreeSet<(usize, String)>;

/// The marks in a module of the file: those between its `cfg` and the next one's.
fn marked(module: &str) -> Errors {
    let start = format!("#[cfg(misuse = \"{module}\")]");
    let lines = CODE.lines().enumerate().skip_while(|(_, line)| *line != start);
    lines
        .skip(1)
        .take_while(|(_, line)| !line.starts_with("#[cfg"))
        .filter_map(|(index, line)| Some((index + 1, line.split_once("//~ ")?.1.to_owned())))
        .collect()
}

/// The errors that the compiler finds where the crate has a module of the file.
fn found(module: &str) -> Errors {
    let output = Command::new(env!("CARGO"))
        .args([
            "rustc",
            "--profile",
            "check",
            "--offline",
            "--lib",
            "--message-format",
            "short",
        ])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .args(["--target-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/boundary")])
        .args(["--", "--cfg", &format!("misuse=\"{module}\"")])
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    let errors: Errors = messages.lines().filter_map(error).collect();
    assert!(!errors.is_empty(), "{messages}");
    errors
}

/// An error of a message `path:line:column: error[code]: ...`.
fn error(message: &str) -> Option<(usize, String)> {
    let (place, error) = message.split_once(": error[")?;
    let mut parts = place.rsplit(':').skip(1);
    let line = parts.next()?.parse().ok()?;
    let path = parts.next()?;
    assert!(path.ends_with(MISUSE), "{message}");
    Some((line, error.split_once(']')?.0.to_owned()))
}

#[test]
fn what_is_private_cannot_be_named() {
    assert_eq!(found("names"), marked("names"));
}

#[test]
fn what_has_a_contract_cannot_be_used_safely() {
    let marked = marked("uses");
    assert!(marked.len() > 15);
    assert_eq!(found("uses"), marked);
}
