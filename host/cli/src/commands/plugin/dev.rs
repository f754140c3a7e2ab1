//! `modelzoo plugin dev`: the API crates are in this program and in no registry. Cargo, and editors that ask it, find them
//! by a configuration that is written beside the source and not published with it.

use super::{crate_manifest::CrateManifest, shown};
use crate::{
    arguments::DevArguments,
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Context, Failure, Hinted, Result, Terminal, ensure},
};
use modelzoo::{Plan, SdkCrate, diagnosis::ErrorClass, unpack_sdk};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use toml::Value;

/// Where the API crates are unpacked to.
const SDK: &str = ".modelzoo/sdk";

/// Where cargo looks for its configuration.
const CONFIGURATION: &str = ".cargo/config.toml";

/// The first line of a configuration of ours, which may be written anew.
const MARK: &str = "# Written by `modelzoo plugin dev` for this machine: not to be published.";

/// What Git has to leave out.
const IGNORED: [&str; 2] = ["/.cargo/config.toml", "/.modelzoo"];

pub fn run(arguments: &DevArguments, terminal: &Terminal) -> Result<Exit> {
    let folder = &arguments.folder;
    ensure!(
        folder.join("Cargo.toml").is_file(),
        "{} has no Cargo.toml: it is no source",
        folder.display()
    );
    // What cargo says of a manifest that cannot be read names a folder of ours, and not what is wrong.
    CrateManifest::read(folder)?;
    let had_lock = Development { folder }.has_lock();
    if carry_out(Development { folder }, arguments.dry_run, false)?.is_some() {
        if had_lock {
            complete_lock(folder)?;
        }
        let folder = shown(folder);
        terminal.say(format!(
            "cargo and editors work in {folder} now; once more after an update of modelzoo"
        ));
    }
    Ok(Exit::Done)
}

/// A source that cargo can work in.
struct Development<'a> {
    folder: &'a Path,
}

impl Plan for Development<'_> {
    type Step = String;
    type Outcome = ();
    type Error = Failure;

    fn steps(&self) -> Result<Vec<String>> {
        self.check_configuration()?;
        let mut steps = vec![
            format!("unpack the API crates into {}", self.path(SDK).display()),
            format!("write {}", self.path(CONFIGURATION).display()),
        ];
        if !self.missing_in_gitignore()?.is_empty() {
            steps.push(format!("add to {}", self.path(".gitignore").display()));
        }
        let what = if self.has_lock() { "complete" } else { "write" };
        steps.push(format!("{what} {}", self.path("Cargo.lock").display()));
        Ok(steps)
    }

    fn execute(self) -> Result<()> {
        self.check_configuration()?;
        let crates = unpack_sdk(&self.path(SDK))?;
        let configuration = self.path(CONFIGURATION);
        write(&configuration, &patches(&crates, self.folder))?;
        let missing = self.missing_in_gitignore()?;
        if !missing.is_empty() {
            let file = self.path(".gitignore");
            let mut text = read_if_there(&file)?;
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            missing.iter().for_each(|line| text = format!("{text}{line}\n"));
            write(&file, &text)?;
        }
        if self.has_lock() {
            Ok(())
        } else {
            self.generate_lock()
        }
    }
}

impl Development<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn has_lock(&self) -> bool {
        self.path("Cargo.lock").exists()
    }

    /// A configuration that somebody else has written is not replaced.
    fn check_configuration(&self) -> Result<()> {
        let file = self.path(CONFIGURATION);
        let text = read_if_there(&file)?;
        if text.is_empty() || text.starts_with(MARK) {
            return Ok(());
        }
        Err(Hinted {
            message: format!(
                "{} is there already, and not written by this command",
                file.display()
            ),
            hint: "move it away, and put what you need of it back below what this command writes".to_owned(),
            class: ErrorClass::Failed,
        }
        .into())
    }

    fn missing_in_gitignore(&self) -> Result<Vec<&'static str>> {
        let text = read_if_there(&self.path(".gitignore"))?;
        let is_missing = |line: &&str| !text.lines().any(|one| one.trim() == *line);
        Ok(IGNORED.into_iter().filter(is_missing).collect())
    }

    fn generate_lock(&self) -> Result<()> {
        write_lock(self.folder, &["generate-lockfile", "--quiet"])
    }
}

/// Adds what Cargo.toml asks for and Cargo.lock does not have yet. A build would do so as well, but in a copy of the source, so
/// that what cargo writes here later has other versions, and all is compiled once more.
fn complete_lock(folder: &Path) -> Result<()> {
    write_lock(folder, &["update", "--workspace", "--quiet"])
}

fn write_lock(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("cargo")
        .args(arguments)
        .current_dir(folder)
        .output()
        .context("cannot run cargo: https://rustup.rs has it")?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(Hinted {
        message: format!("cargo cannot write Cargo.lock: {}", reasons(&told).join(": ")),
        hint: format!(
            "see Cargo.toml; `cargo {}` in the folder shows all that cargo says of it",
            arguments[..arguments.len() - 1].join(" ")
        ),
        class: ErrorClass::Failed,
    }
    .into())
}

/// The error in what cargo says, and what caused it, outermost first.
fn reasons(told: &str) -> Vec<&str> {
    let mut lines = told.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines
        .by_ref()
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or("it says nothing of why");
    let mut reasons = vec![first];
    let mut is_cause = false;
    for line in lines {
        if is_cause {
            reasons.push(line);
        }
        is_cause = line == "Caused by:";
    }
    reasons
}

/// The configuration that names the unpacked crates, relative to the source.
fn patches(crates: &[SdkCrate], source: &Path) -> String {
    let patch = |one: &SdkCrate| {
        let place = one.folder.strip_prefix(source).unwrap_or(&one.folder);
        let place = Value::from(place.to_string_lossy().into_owned());
        format!("{} = {{ path = {place} }}\n", one.name)
    };
    let patches: String = crates.iter().map(patch).collect();
    format!("{MARK}\n[patch.crates-io]\n{patches}")
}

fn read_if_there(file: &Path) -> Result<String> {
    if file.exists() {
        return fs_err::read_to_string(file).context("cannot see what is there already");
    }
    Ok(String::new())
}

fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)
        .and_then(|()| fs_err::write(file, text))
        .context("cannot prepare the source")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_prepared_once_and_again_without_a_change() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        fs_err::write(folder.join("Cargo.lock"), "version = 4\n").unwrap();
        fs_err::write(folder.join(".gitignore"), "/target").unwrap();
        let prepare = || Development { folder }.execute().unwrap();
        prepare();
        let configuration = fs_err::read_to_string(folder.join(CONFIGURATION)).unwrap();
        let tables: toml::Table = configuration.parse().unwrap();
        let patches = tables["patch"]["crates-io"].as_table().unwrap();
        assert_eq!(patches.len(), 4);
        for (name, patch) in patches {
            let manifest = folder.join(patch["path"].as_str().unwrap()).join("Cargo.toml");
            let text = fs_err::read_to_string(manifest).unwrap();
            assert!(text.contains(&format!("name = \"{name}\"")), "{text}");
        }
        let ignored = fs_err::read_to_string(folder.join(".gitignore")).unwrap();
        assert_eq!(ignored, "/target\n/.cargo/config.toml\n/.modelzoo\n");
        prepare();
        assert_eq!(
            fs_err::read_to_string(folder.join(".gitignore")).unwrap(),
            ignored
        );
        assert_eq!(
            fs_err::read_to_string(folder.join(CONFIGURATION)).unwrap(),
            configuration
        );
    }

    #[test]
    fn what_cargo_says_of_a_crate_becomes_one_line() {
        let told = "    Updating crates.io index\nerror: failed to parse manifest at `/a/Cargo.toml`\n\nCaused by:\n  no targets \
                    specified in the manifest\n  either src/lib.rs, or a [lib] section must be present\n";
        assert_eq!(
            reasons(told),
            [
                "failed to parse manifest at `/a/Cargo.toml`",
                "no targets specified in the manifest"
            ]
        );
        assert_eq!(reasons(""), ["it says nothing of why"]);
    }

    #[test]
    fn what_somebody_else_has_written_stays() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join(CONFIGURATION);
        write(&file, "[build]\n").unwrap();
        let development = Development { folder: place.path() };
        assert!(development.steps().is_err());
        assert!(development.execute().is_err());
        assert_eq!(fs_err::read_to_string(file).unwrap(), "[build]\n");
    }
}
