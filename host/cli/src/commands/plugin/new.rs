//! `modelzoo plugin new`: a source to start from.

use super::shown;
use crate::{
    arguments::NewArguments,
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Context, Failure, Hinted, Result, Terminal, ensure},
};
use modelzoo::{Plan, diagnosis::ErrorClass};
use std::path::Path;

/// The files of a new source; `NAME` in them stands for its name.
const TEMPLATE: [(&str, &str); 4] = [
    (".gitignore", include_str!("../../../templates/plugin/gitignore")),
    ("Cargo.toml", include_str!("../../../templates/plugin/Cargo.toml")),
    (
        "manifest.json",
        include_str!("../../../templates/plugin/manifest.json"),
    ),
    ("src/lib.rs", include_str!("../../../templates/plugin/src/lib.rs")),
];

pub fn run(arguments: &NewArguments, terminal: &Terminal) -> Result<Exit> {
    let folder = &arguments.folder;
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    ensure!(
        is_name,
        "{name:?} cannot name a crate: it takes letters, digits, - and _, a letter first"
    );
    if folder.exists() {
        return Err(Hinted {
            message: format!("{} is there already", folder.display()),
            hint: "name a folder that is not there yet".to_owned(),
            class: ErrorClass::Failed,
        }
        .into());
    }
    if carry_out(NewSource { folder, name }, arguments.dry_run, false)?.is_some() {
        let folder = shown(folder);
        terminal.say(format!(
            "{folder} is a source; `modelzoo apply {folder} PICTURES` runs it, `modelzoo plugin check {folder}` checks it"
        ));
    }
    Ok(Exit::Done)
}

/// A source that is written.
struct NewSource<'a> {
    folder: &'a Path,
    name: &'a str,
}

impl Plan for NewSource<'_> {
    type Step = String;
    type Outcome = ();
    type Error = Failure;

    fn steps(&self) -> Result<Vec<String>> {
        let step = |(path, _): &(&str, &str)| format!("write {}", self.folder.join(path).display());
        Ok(TEMPLATE.iter().map(step).collect())
    }

    fn execute(self) -> Result<()> {
        let Self { folder, name } = self;
        for (path, content) in TEMPLATE {
            let path = folder.join(path);
            let parent = path.parent().unwrap_or(folder);
            fs_err::create_dir_all(parent)
                .and_then(|()| fs_err::write(&path, content.replace("NAME", name)))
                .context("cannot write the source")?;
        }
        Ok(())
    }
}
