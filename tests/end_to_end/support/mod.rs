//! What the end-to-end tests share: the real program in a home of its own, and sources that are published for it.

pub mod hosted;
pub mod hub;
pub mod published;

pub use modelzoo_test_support::{
    files::{copy_folder, plugin, project, sample},
    git_server, http_server, levels, media, mount, ssh_server,
    terminal::on_terminal,
};

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The store that users share unless they have one of their own.
pub fn shared_store() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("store")
}

/// A user of the program: a home folder of its own. All users share a store, so that a plugin is compiled once.
pub struct User {
    home: tempfile::TempDir,
    store: PathBuf,
    environment: Vec<(String, String)>,
}

/// What the program did.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl User {
    pub fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            store: shared_store(),
            environment: Vec::new(),
        }
    }

    /// Gives the user a store of its own, which holds nothing yet. Only what cargo compiles is shared with all others.
    pub fn with_empty_store(mut self) -> Self {
        let shared = self.store.join("build");
        self.store = self.home.path().join("store");
        fs::create_dir_all(&shared).unwrap();
        fs::create_dir(&self.store).unwrap();
        std::os::unix::fs::symlink(shared, self.store.join("build")).unwrap();
        self
    }

    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A configuration file with this content.
    pub fn with_config(self, toml: &str) -> Self {
        let path = self.path("config.toml");
        fs::write(&path, toml).unwrap();
        self.with_variable("MODELZOO_CONFIG", path.to_str().unwrap())
    }

    /// A path in the user's home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Gives the user this store.
    pub fn with_store(mut self, store: &Path) -> Self {
        self.store = store.to_owned();
        self
    }

    /// Runs the program.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        Run::of(self.program().args(arguments).output().unwrap())
    }

    /// Runs the program on a terminal, on which `typed` is typed. All that the terminal shows counts as standard error.
    pub fn run_on_terminal<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        typed: &str,
    ) -> Run {
        let mut program = self.program();
        let shown = on_terminal(program.args(arguments), typed);
        Run::of(Output {
            stdout: Vec::new(),
            stderr: String::from_utf8(shown.stdout)
                .unwrap()
                .replace('\r', "")
                .into_bytes(),
            ..shown
        })
    }

    /// Runs `command` with one of the small models of the plugin `capabilities`.
    pub fn run_capability(&self, command: &str, model: &str, arguments: &[&str]) -> Run {
        let plugin = sample("capabilities");
        let words = [command, plugin.to_str().unwrap(), "-n", model];
        self.run([&words, arguments].concat())
    }

    /// A command that runs the program as this user.
    pub fn program(&self) -> Command {
        self.as_user(Command::new(env!("CARGO_BIN_EXE_modelzoo")))
    }

    /// The command, run as this user.
    pub fn as_user(&self, mut command: Command) -> Command {
        command
            .current_dir(self.home.path())
            .env("MODELZOO_STORE", &self.store);
        // The toolchain's own folders are found through the real home.
        for tool in ["CARGO_HOME", "RUSTUP_HOME"] {
            let folder = if tool == "CARGO_HOME" { ".cargo" } else { ".rustup" };
            if let (None, Some(home)) = (std::env::var_os(tool), std::env::var_os("HOME")) {
                command.env(tool, Path::new(&home).join(folder));
            }
        }
        for variable in [
            "GITHUB_TOKEN",
            "HF_ENDPOINT",
            "HF_TOKEN",
            "MODELZOO_CONFIG",
            "MODELZOO_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "RUST_BACKTRACE",
        ] {
            command.env_remove(variable);
        }
        command
            .env("HOME", self.home.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Run {
    /// What a program did that has ended. A signal counts as -1.
    ///
    /// Whatever it was, its error has to say each thing once: all tests look after that.
    #[track_caller]
    pub fn of(output: Output) -> Self {
        let run = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert_eq!(levels::repetition(&run.levels()), None, "{}", run.stderr);
        run
    }

    /// The error and its causes, outermost first; nothing where there is none.
    fn levels(&self) -> Vec<String> {
        let mut lines = self
            .stderr
            .lines()
            .skip_while(|line| !line.starts_with("error: "));
        let error = lines.next().and_then(|line| line.strip_prefix("error: "));
        let causes = lines.map_while(|line| line.strip_prefix("  because: "));
        error.into_iter().chain(causes).map(str::to_owned).collect()
    }

    /// The same, once it has ended as it should.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The lines of standard output as JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        json_lines(&self.stdout)
    }

    /// The line of standard error that tells the error.
    pub fn error(&self) -> &str {
        self.stderr
            .lines()
            .find_map(|line| line.strip_prefix("error: "))
            .unwrap_or_default()
    }
}

/// The lines of a text as JSON.
#[track_caller]
pub fn json_lines(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}
