//! A test that needs a process of its own: to be killed, to run many times at once, or for its environment.
//!
//! It is a test with `#[ignore = "a program of its own"]`, which another test starts by its name.

use std::process::Command;

/// A command that runs this test program again, with nothing but the ignored test `name` (its path from the crate's
/// root: `module::test`).
///
/// A name that no test has would pass without running anything: the output of one that counts is to be given to
/// [`expect_one_passed`].
pub fn start_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]);
    command
}

/// Fails unless the standard output of a test program says that one test ran and passed.
#[track_caller]
pub fn expect_one_passed(stdout: &str) {
    assert!(stdout.contains("1 passed"), "{stdout}");
}
