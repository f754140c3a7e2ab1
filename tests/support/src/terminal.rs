//! A terminal, and somebody who types.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// Runs a command on a terminal of its own, on which `typed` is typed. Standard output and standard error are what the
/// terminal shows, with what was typed.
pub fn on_terminal(command: &Command, typed: &str) -> Output {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<String> = words.map(|word| quoted(word.to_str().unwrap())).collect();
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(folder) = command.get_current_dir() {
        script.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let mut child = script.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A word as the shell reads it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
