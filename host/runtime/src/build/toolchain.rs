//! The Rust toolchain that builds plugins, found without asking it again on every start.

use super::BuildError;
use fs_err as fs;
use modelzoo_base::{file, process::find_program};
use serde::{Deserialize, Serialize};
use std::{
    env::consts::EXE_SUFFIX,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

/// The toolchain that builds plugins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Toolchain {
    /// The folder that holds `bin/cargo` and `bin/rustc`.
    pub(super) sysroot: PathBuf,
    /// Cargo itself, not rustup's stand-in.
    pub(super) cargo: PathBuf,
    /// The compiler itself.
    pub(super) rustc: PathBuf,
    /// What `rustc -vV` prints.
    pub(super) version: String,
    /// The target triple of this machine.
    pub(super) host: String,
}

/// What an answer of the toolchain stays true for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Evidence {
    /// `rustc` as PATH finds it: the compiler, or rustup's stand-in.
    found: PathBuf,
    found_modified: Option<SystemTime>,
    /// Which toolchain rustup is told to use.
    rustup_toolchain: Option<String>,
    /// When rustup's settings were changed, the default toolchain among them.
    rustup_settings_modified: Option<SystemTime>,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    evidence: Evidence,
    toolchain: Toolchain,
    rustc_modified: Option<SystemTime>,
}

impl Toolchain {
    /// Finds the toolchain. `folder` holds the answer of the last time, and is where the compiler is run: away from
    /// the source, whose `rust-toolchain.toml` would make rustup download what it names.
    pub(super) fn find(folder: &Path) -> Result<Self, BuildError> {
        let memory = folder.join("toolchain.json");
        let evidence = Evidence::now()?;
        let remembered = fs::read(&memory)
            .ok()
            .and_then(|text| serde_json::from_slice::<Remembered>(&text).ok())
            .filter(|remembered| {
                remembered.evidence == evidence
                    && remembered.rustc_modified.is_some()
                    && remembered.rustc_modified == modified(&remembered.toolchain.rustc)
            });
        if let Some(remembered) = remembered {
            return Ok(remembered.toolchain);
        }
        let toolchain = Self::ask(&evidence.found, folder)?;
        let remembered = Remembered {
            evidence,
            rustc_modified: modified(&toolchain.rustc),
            toolchain,
        };
        // Without a memory the next start is a little slower, and no more.
        let written = serde_json::to_vec_pretty(&remembered)
            .map_err(io::Error::from)
            .and_then(|text| file::write(&memory, text));
        if let Err(error) = written {
            tracing::debug!(%error, "cannot remember the toolchain");
        }
        Ok(remembered.toolchain)
    }

    /// The folders with programs: its own, and those of this process's PATH that `is_allowed` says.
    pub(super) fn path(&self, is_allowed: impl Fn(&Path) -> bool) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).filter(|folder| is_allowed(folder));
        let own = self.sysroot.join("bin");
        // A folder whose name has the separator in it cannot be told, and was not found by it before.
        std::env::join_paths(std::iter::once(own).chain(folders)).unwrap_or(path)
    }

    /// The commit of the compiler's own source, where it says so.
    pub(super) fn commit(&self) -> Option<&str> {
        let mut lines = self.version.lines();
        lines.find_map(|line| line.strip_prefix("commit-hash: "))
    }

    /// The folders that it consists of.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        let programs = [&self.cargo, &self.rustc]
            .into_iter()
            .filter_map(|program| program.parent());
        std::iter::once(self.sysroot.as_path()).chain(programs)
    }

    /// Asks the compiler.
    fn ask(rustc: &Path, folder: &Path) -> Result<Self, BuildError> {
        let answer = |rustc: &Path, arguments: &[&str]| {
            let output = Command::new(rustc)
                .args(arguments)
                .current_dir(folder)
                .stdin(Stdio::null())
                .output()
                .and_then(|output| {
                    if output.status.success() {
                        Ok(output)
                    } else {
                        Err(io::Error::other(
                            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                        ))
                    }
                })
                .map_err(|source| BuildError::NoTool {
                    tool: rustc.display().to_string(),
                    source,
                })?;
            Ok::<_, BuildError>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let sysroot = PathBuf::from(answer(rustc, &["--print", "sysroot"])?);
        let [rustc, cargo] = ["rustc", "cargo"].map(|tool| {
            let beside = sysroot.join("bin").join(format!("{tool}{EXE_SUFFIX}"));
            // A distribution's own toolchain may have its parts elsewhere.
            if beside.exists() {
                Some(beside)
            } else {
                on_path(tool)
            }
        });
        let [rustc, cargo] =
            [(rustc, "rustc"), (cargo, "cargo")].map(|(path, tool)| path.ok_or_else(|| missing(tool)));
        let (rustc, cargo) = (rustc?, cargo?);
        let version = answer(&rustc, &["-vV"])?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default()
            .to_owned();
        Ok(Self {
            sysroot,
            cargo,
            rustc,
            version,
            host,
        })
    }
}

impl Evidence {
    fn now() -> Result<Self, BuildError> {
        let found = on_path("rustc").ok_or_else(|| missing("rustc"))?;
        let rustup_home = std::env::var_os("RUSTUP_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(std::env::home_dir()?.join(".rustup")));
        Ok(Self {
            found_modified: modified(&found),
            found,
            rustup_toolchain: std::env::var("RUSTUP_TOOLCHAIN").ok(),
            rustup_settings_modified: rustup_home.and_then(|home| modified(&home.join("settings.toml"))),
        })
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Finds a program as the shell does, and where rustup puts it besides.
fn on_path(tool: &str) -> Option<PathBuf> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    find_program(tool, cargo_home.map(|home| home.join("bin")))
}

fn missing(tool: &str) -> BuildError {
    BuildError::NoTool {
        tool: tool.to_owned(),
        source: io::ErrorKind::NotFound.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_is_asked_once() {
        let folder = tempfile::tempdir().unwrap();
        let found = Toolchain::find(folder.path()).unwrap();
        assert!(
            found.version.contains(&format!("host: {}", found.host)),
            "{found:?}"
        );
        assert!(found.cargo.is_absolute() && found.rustc.is_absolute());
        // What is remembered is believed as long as the evidence holds.
        let memory = folder.path().join("toolchain.json");
        let change = |part: &str, field: &str, value: &str| {
            let mut remembered: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&memory).unwrap()).unwrap();
            remembered[part][field] = value.into();
            std::fs::write(&memory, remembered.to_string()).unwrap();
        };
        change("toolchain", "host", "remembered-host");
        assert_eq!(Toolchain::find(folder.path()).unwrap().host, "remembered-host");
        change("evidence", "rustup_toolchain", "another");
        assert_eq!(Toolchain::find(folder.path()).unwrap(), found);
    }
}
