//! Running cargo: always away from the source, in a cleaned environment, with the host's SDK patched in.

use super::{BuildError, environment, profile, sdk::SdkCrate, toolchain::Toolchain};
use cargo_metadata::{DependencyKind, Message, Metadata, Package, PackageId};
use fs_err as fs;
use modelzoo_base::progress::{Event, Observer};
use std::{
    collections::HashSet,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{MAIN_SEPARATOR, Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

/// How many lines of cargo's own error an error of ours shows.
const SHOWN_LINES: usize = 60;

/// Cargo, for one crate.
pub(super) struct Cargo<'a> {
    pub(super) toolchain: &'a Toolchain,
    /// Where it runs: configuration files of the source have no effect there.
    pub(super) folder: &'a Path,
    /// The crate.
    pub(super) source: &'a Path,
    pub(super) sdk: &'a [SdkCrate],
    pub(super) features: &'a [String],
    /// What all calls print.
    pub(super) log: &'a fs::File,
}

/// How a call of cargo failed.
pub(super) enum CargoFailure {
    /// It could not be run.
    Run(io::Error),
    /// It said why.
    Said(String),
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
        self.run(command, |stdout| stdout.read_to_end(&mut text).map(drop))?;
        Ok(serde_json::from_slice(&text).map_err(io::Error::from)?)
    }

    /// Fetches what the crate needs and completes its lock file. Runs nobody's code.
    pub(super) fn fetch(&self, is_offline: bool) -> Result<(), CargoFailure> {
        let mut command = self.command("fetch");
        command
            .args(["--target", &self.toolchain.host])
            .envs(environment::for_fetching());
        if is_offline {
            command.arg("--offline");
        }
        self.run(command, |_| Ok(()))
    }

    /// Builds the crate's library without network, and gives its path.
    pub(super) fn build(
        &self,
        target_folder: &Path,
        metadata: &Metadata,
        observer: &dyn Observer,
    ) -> Result<Option<PathBuf>, CargoFailure> {
        let root = self.root(metadata)?.id.clone();
        let total = Self::needed(metadata, &root).len();
        let mut command = self.command("build");
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
            .arg(target_folder);
        let (mut done, mut library) = (HashSet::new(), None);
        self.run(command, |stdout| {
            for message in Message::parse_stream(BufReader::new(stdout)) {
                let Message::CompilerArtifact(artifact) = message? else {
                    continue;
                };
                if artifact.package_id == root {
                    let mut files = artifact.filenames.into_iter().map(PathBuf::from);
                    library = files.rfind(|file| is_library(file)).or(library.take());
                }
                if done.insert(artifact.package_id) {
                    observer.notice(Event::Building {
                        name: &artifact.target.name,
                        done: done.len().min(total) as u64,
                        total: total as u64,
                    });
                }
            }
            Ok(())
        })?;
        Ok(library)
    }

    /// The packages that a build of `root` compiles.
    pub(super) fn needed<'m>(metadata: &'m Metadata, root: &'m PackageId) -> HashSet<&'m PackageId> {
        let (mut seen, mut open) = (HashSet::from([root]), vec![root]);
        while let Some(id) = open.pop() {
            let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
            let dependencies = nodes.filter(|node| node.id == *id).flat_map(|node| &node.deps);
            for dependency in dependencies {
                let is_built = dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind != DependencyKind::Development);
                if is_built && seen.insert(&dependency.pkg) {
                    open.push(&dependency.pkg);
                }
            }
        }
        seen
    }

    fn command(&self, subcommand: &str) -> Command {
        let bin = self.toolchain.sysroot.join("bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))).unwrap_or(path);
        let mut command = Command::new(&self.toolchain.cargo);
        command
            .arg(subcommand)
            .current_dir(self.folder)
            .env_clear()
            .envs(environment::for_building())
            .env("PATH", path)
            .env("RUSTC", &self.toolchain.rustc)
            // Should a build script call rustup's stand-ins, they choose the same toolchain.
            .env("RUSTUP_TOOLCHAIN", &self.toolchain.sysroot)
            .env("CARGO_ENCODED_RUSTFLAGS", profile::RUSTFLAGS)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .arg("--manifest-path")
            .arg(self.source.join("Cargo.toml"));
        if subcommand != "fetch" && !self.features.is_empty() {
            command.args(["--features", &self.features.join(",")]);
        }
        for one in self.sdk {
            let folder = toml_edit::Value::from(one.folder.display().to_string());
            command.args(["--config", &format!("patch.crates-io.{}.path={folder}", one.name)]);
        }
        command.args(profile::PROFILE.iter().flat_map(|setting| ["--config", setting]));
        command
    }

    /// Runs a command, with its standard output read by `read` and its standard error in the log.
    fn run(
        &self,
        mut command: Command,
        read: impl FnOnce(&mut std::process::ChildStdout) -> io::Result<()>,
    ) -> Result<(), CargoFailure> {
        tracing::debug!(?command, "running cargo");
        let mut log = self.log;
        let start = log.seek(SeekFrom::End(0))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log.file().try_clone()?)
            .spawn()?;
        // Standard output was asked for just above.
        let was_read = child.stdout.as_mut().map_or(Ok(()), read);
        // The pipe is closed before the wait, so that a process whose output could not be read ends.
        drop(child.stdout.take());
        let status = child.wait()?;
        was_read?;
        if status.success() {
            return Ok(());
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
