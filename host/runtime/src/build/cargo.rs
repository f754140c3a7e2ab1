//! Running cargo: always away from the source, in a cleaned environment, with the host's SDK patched in.

use super::{BuildError, environment, profile, sdk::SdkCrate, shelter::Shelter, toolchain::Toolchain};
use cargo_metadata::{Artifact, Message, Metadata, Package, PackageId};
use fs_err as fs;
use std::{
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{MAIN_SEPARATOR, Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// How long cargo may be silent: a crate of kernels for graphics cards can take a quarter of an hour.
const SILENCE_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How many lines of cargo's own error an error of ours shows.
const SHOWN_LINES: usize = 60;

/// Cargo, for one crate.
pub(super) struct Cargo<'a> {
    pub(super) toolchain: &'a Toolchain,
    /// Where it runs while it runs nobody's code: configuration files of the source have no effect there.
    pub(super) folder: &'a Path,
    /// The crate.
    pub(super) source: &'a Path,
    pub(super) sdk: &'a [SdkCrate],
    pub(super) features: &'a [String],
    /// The flags of the compiler, as cargo takes them.
    pub(super) flags: &'a str,
    /// A folder of crates that stands for crates.io.
    pub(super) crates: Option<&'a Path>,
    /// What all calls print.
    pub(super) log: &'a fs::File,
}

/// How a call of cargo failed.
pub(super) enum CargoFailure {
    /// It could not be run.
    Run(io::Error),
    /// It said why.
    Said(String),
    /// It gave no sign of life, and was ended.
    Silent,
}

impl From<io::Error> for CargoFailure {
    fn from(error: io::Error) -> Self {
        Self::Run(error)
    }
}

impl CargoFailure {
    /// An error of ours, made from cargo's own words.
    pub(super) fn into_error(self, said: impl FnOnce(String) -> BuildError) -> BuildError {
        match self {
            Self::Run(source) => BuildError::NoTool {
                tool: "cargo".to_owned(),
                source,
            },
            Self::Said(reason) => said(reason),
            Self::Silent => said(format!(
                "cargo gave no sign of life for {} minutes and was ended",
                SILENCE_LIMIT.as_secs() / 60
            )),
        }
    }
}

impl Cargo<'_> {
    /// What the crate says of itself, without its dependencies.
    pub(super) fn describe(&self) -> Result<Package, CargoFailure> {
        let metadata = self.metadata(&["--no-deps", "--offline"])?;
        self.root(&metadata).cloned()
    }

    /// What the crate and all that it needs say of themselves; fetched before.
    pub(super) fn resolve(&self) -> Result<Metadata, CargoFailure> {
        self.metadata(&["--offline", "--locked", "--filter-platform", &self.toolchain.host])
    }

    /// The same of a crate whose lock file may have more in it than it needs, which is taken out.
    pub(super) fn resolve_and_tidy(&self) -> Result<Metadata, CargoFailure> {
        self.metadata(&["--offline", "--filter-platform", &self.toolchain.host])
    }

    /// The crate itself among what `metadata` describes.
    pub(super) fn root<'m>(&self, metadata: &'m Metadata) -> Result<&'m Package, CargoFailure> {
        let manifest = self.source.join("Cargo.toml");
        metadata
            .packages
            .iter()
            .find(|package| package.manifest_path.as_std_path() == manifest)
            .ok_or_else(|| {
                CargoFailure::Said("its Cargo.toml describes a workspace, but no package".to_owned())
            })
    }

    fn metadata(&self, arguments: &[&str]) -> Result<Metadata, CargoFailure> {
        let mut command = self.command("metadata");
        command.args(["--format-version", "1"]).args(arguments);
        let mut text = Vec::new();
        self.run(command, |stdout, _| stdout.read_to_end(&mut text).map(drop))?;
        Ok(serde_json::from_slice(&text).map_err(io::Error::from)?)
    }

    /// Fetches what the crate needs and completes its lock file. Runs nobody's code.
    pub(super) fn fetch(&self, is_offline: bool) -> Result<(), CargoFailure> {
        self.fetch_for(Some(&self.toolchain.host), is_offline)
    }

    /// The same for builds on one target, or on all.
    pub(super) fn fetch_for(&self, target: Option<&str>, is_offline: bool) -> Result<(), CargoFailure> {
        let mut command = self.command("fetch");
        if let Some(target) = target {
            command.args(["--target", target]);
        }
        if is_offline {
            command.arg("--offline");
        }
        self.run(command, |stdout, _| io::copy(stdout, &mut io::sink()).map(drop))
    }

    /// Builds the crate's library without network, shut in as `shelter` says; `made` is told of every crate that is there
    /// then. Gives the library's path, as cargo tells it: the code of the build may have a hand in that.
    pub(super) fn build(
        &self,
        shelter: &Shelter<'_>,
        root: &PackageId,
        made: &mut dyn FnMut(&Artifact),
    ) -> Result<Option<PathBuf>, CargoFailure> {
        let mut command = shelter.command(self.toolchain, self.source);
        self.configure(&mut command, "build");
        command
            .args([
                "--release",
                "--lib",
                "--offline",
                "--locked",
                "--message-format",
                "json-render-diagnostics",
            ])
            .arg("--target-dir")
            .arg(shelter.place);
        let mut library = None;
        self.run(command, |stdout, alive| {
            for message in Message::parse_stream(BufReader::new(stdout)) {
                alive();
                let Message::CompilerArtifact(artifact) = message? else {
                    continue;
                };
                if artifact.package_id == *root {
                    let mut files = artifact.filenames.iter().map(|file| file.as_std_path());
                    library = files
                        .rfind(|file| is_library(file))
                        .map(Path::to_owned)
                        .or(library.take());
                }
                made(&artifact);
            }
            Ok(())
        })?;
        Ok(library)
    }

    /// A command that runs nobody's code.
    fn command(&self, subcommand: &str) -> Command {
        let path = self.toolchain.path(|_| true);
        let mut command = Command::new(&self.toolchain.cargo);
        command
            .current_dir(self.folder)
            .env_clear()
            .envs(environment::for_both())
            .envs(environment::for_fetching())
            .env("PATH", path);
        self.configure(&mut command, subcommand);
        command
    }

    /// What all commands have in common.
    fn configure(&self, command: &mut Command, subcommand: &str) {
        command
            .arg(subcommand)
            .env("RUSTC", &self.toolchain.rustc)
            // Should a build script call rustup's stand-ins, they choose the same toolchain.
            .env("RUSTUP_TOOLCHAIN", &self.toolchain.sysroot)
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags)
            .env("SOURCE_DATE_EPOCH", profile::TIME)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .arg("--manifest-path")
            .arg(self.source.join("Cargo.toml"));
        if subcommand != "fetch" && !self.features.is_empty() {
            command.args(["--features", &self.features.join(",")]);
        }
        if let Some(folder) = self.crates {
            let folder = toml_edit::Value::from(folder.display().to_string());
            command
                .args(["--config", "source.crates-io.replace-with='modelzoo-crates'"])
                .args(["--config", &format!("source.modelzoo-crates.directory={folder}")]);
        }
        for one in self.sdk {
            let folder = toml_edit::Value::from(one.shown_in(self.source).display().to_string());
            command.args(["--config", &format!("patch.crates-io.{}.path={folder}", one.name)]);
        }
        command.args(profile::PROFILE.iter().flat_map(|setting| ["--config", setting]));
    }

    /// Runs a command, with its standard output read by `read`, which tells of every sign of life, and its standard error
    /// in the log.
    fn run(
        &self,
        mut command: Command,
        read: impl FnOnce(&mut ChildStdout, &dyn Fn()) -> io::Result<()>,
    ) -> Result<(), CargoFailure> {
        tracing::debug!(?command, "running cargo");
        let mut log = self.log;
        let start = log.seek(SeekFrom::End(0))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log.file().try_clone()?)
            .spawn()?;
        let stdout = child.stdout.take();
        let child = Mutex::new(child);
        let (was_read, is_silent) = while_alive(&child, SILENCE_LIMIT, |alive| {
            // Standard output was asked for just above.
            stdout.map_or(Ok(()), |mut stdout| read(&mut stdout, alive))
        });
        // The pipe is closed before the wait, so that a process whose output could not be read ends.
        let status = lock(&child).wait()?;
        if is_silent {
            return Err(CargoFailure::Silent);
        }
        if status.success() {
            return Ok(was_read?);
        }
        log.seek(SeekFrom::Start(start))?;
        let mut said = Vec::new();
        log.read_to_end(&mut said)?;
        // The user knows the source, and not the copy of it that is built.
        let mut said = String::from_utf8_lossy(&said).into_owned();
        let relative = self.source.strip_prefix(self.folder).ok();
        for folder in [Some(self.source), relative].into_iter().flatten() {
            said = said.replace(&format!("{}{MAIN_SEPARATOR}", folder.display()), "");
        }
        Err(CargoFailure::Said(reason(&said, status)))
    }
}

/// Does what waits for a process, which is ended when it gives no sign of life for too long; and tells whether it was.
fn while_alive<T>(child: &Mutex<Child>, limit: Duration, wait: impl FnOnce(&dyn Fn()) -> T) -> (T, bool) {
    let (signs, seen) = mpsc::channel();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            loop {
                match seen.recv_timeout(limit) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Disconnected) => return false,
                    Err(RecvTimeoutError::Timeout) => {
                        // It may have ended in this moment.
                        let _ = lock(child).kill();
                        return true;
                    }
                }
            }
        });
        let waited = wait(&|| {
            // The watch has gone only after it has ended the process.
            let _ = signs.send(());
        });
        drop(signs);
        (waited, watch.join().unwrap_or(false))
    })
}

/// The handle of a process is sound whoever panicked while holding it.
fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The part of what cargo said that tells why it failed.
fn reason(said: &str, status: ExitStatus) -> String {
    let lines: Vec<&str> = said
        .lines()
        .skip_while(|line| !line.starts_with("error"))
        .collect();
    if lines.is_empty() {
        return format!("cargo ended with {status}");
    }
    let mut reason = lines[..lines.len().min(SHOWN_LINES)].join("\n");
    if lines.len() > SHOWN_LINES {
        reason += &format!("\n({} more lines in the log)", lines.len() - SHOWN_LINES);
    }
    reason
}

fn is_library(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_begins_with_the_error_and_is_short() {
        let status = ExitStatus::default();
        let said = "   Compiling x\nwarning: unused\nerror[E0308]: mismatched\n  --> src/lib.rs:4:5\n";
        assert_eq!(
            reason(said, status),
            "error[E0308]: mismatched\n  --> src/lib.rs:4:5"
        );
        let long = "error: many\n".repeat(200);
        let reason_of_long = reason(&long, status);
        assert_eq!(reason_of_long.lines().count(), SHOWN_LINES + 1);
        assert!(
            reason_of_long.ends_with("(140 more lines in the log)"),
            "{reason_of_long}"
        );
        assert!(reason("Killed", status).starts_with("cargo ended with"));
    }
}
