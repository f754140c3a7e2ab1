//! Programs: where they are, and processes that are not waited for for ever.

use std::{
    env,
    io::{self, Read as _},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};
use wait_timeout::ChildExt as _;

/// Where the program of this name is: in a folder of `PATH`, or else in one of `more`. Folders of `PATH` that depend on the
/// current one are passed over, as what lies there may be a stranger's.
pub fn find_program(name: &str, more: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path)
        .chain(more)
        .filter(|folder| folder.is_absolute());
    let folders = env::join_paths(folders).ok()?;
    which::which_in_global(name, Some(folders)).ok()?.next()
}

/// Waits for the end of a process, and kills it when the time is up.
///
/// # Errors
/// It cannot be waited for or killed.
pub fn end_within(child: &mut Child, limit: Duration) -> io::Result<ExitStatus> {
    match child.wait_timeout(limit)? {
        Some(status) => Ok(status),
        None => {
            child.kill()?;
            child.wait()
        }
    }
}

/// What a program prints on its standard output that prints little, such as its version: less than a pipe holds, as
/// nobody reads it meanwhile.
///
/// # Errors
/// It cannot be started, fails, or is not done in time, after which it is killed: [`io::ErrorKind::TimedOut`].
pub fn short_output(command: &mut Command, limit: Duration) -> io::Result<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let Some(status) = child.wait_timeout(limit)? else {
        child.kill()?;
        child.wait()?;
        return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
    };
    if !status.success() {
        return Err(io::Error::other(format!("it fails ({status})")));
    }
    let mut output = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut output)?;
    }
    Ok(String::from_utf8_lossy(&output).into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let limit = Duration::from_millis(50);
        let error = short_output(&mut shell("exec sleep 600"), limit).expect_err("it hangs");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let mut child = shell("exec sleep 600").spawn().expect("a shell");
        let status = end_within(&mut child, limit).expect("it can be ended");
        assert_eq!(status.signal(), Some(9));
    }

    #[test]
    fn a_program_in_time_says_what_it_has_to_say() {
        let limit = Duration::from_secs(60);
        assert_eq!(
            short_output(&mut shell("echo 1.2"), limit).expect("it prints"),
            "1.2\n"
        );
        assert!(short_output(&mut shell("exit 3"), limit).is_err());
        let mut child = shell("exit 3").spawn().expect("a shell");
        assert_eq!(end_within(&mut child, limit).expect("it ends").code(), Some(3));
        assert_eq!(
            end_within(&mut child, Duration::ZERO)
                .expect("it has ended")
                .code(),
            Some(3)
        );
    }

    #[test]
    fn programs_are_found_by_path_and_then_elsewhere() {
        assert!(find_program("sh", []).is_some_and(|shell| shell.is_absolute() && shell.ends_with("sh")));
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("of-no-path");
        fs_err::write(&own, "#!/bin/sh\n").unwrap();
        let more = || [folder.path().to_owned()];
        assert_eq!(find_program("of-no-path", more()), None, "it cannot be executed");
        fs_err::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(find_program("of-no-path", more()), Some(own));
        assert_eq!(find_program("of-no-path", [PathBuf::from(".")]), None);
    }
}
