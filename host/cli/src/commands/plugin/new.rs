//! `modelzoo plugin new`: a source to start from.

use super::shown;
use crate::{
    arguments::DryRunArgument,
    commands::plan::Plan,
    exit::Exit,
    terminal::{Hinted, Terminal},
};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use std::path::PathBuf;

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

#[derive(Clone, Debug, Args)]
pub struct NewArguments {
    /// The folder; its last part becomes the model's name
    folder: PathBuf,

    #[command(flatten)]
    dry_run: DryRunArgument,
}

pub fn run(arguments: &NewArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
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
        bail!(Hinted {
            message: format!("{} is there already", folder.display()),
            hint: "name a folder that is not there yet".to_owned(),
            exit: Exit::Failed,
        });
    }
    if arguments.dry_run.dry_run {
        let plan = TEMPLATE.iter().fold(Plan::default(), |plan, (path, _)| {
            plan.and(format!("write {}", folder.join(path).display()))
        });
        plan.print(false)?;
        return Ok(Exit::Done);
    }
    for (path, content) in TEMPLATE {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs_err::create_dir_all(parent)
            .and_then(|()| fs_err::write(&path, content.replace("NAME", name)))
            .with_context(|| format!("cannot write the source to {}", folder.display()))?;
    }
    let folder = shown(folder);
    terminal.say(format!(
        "{folder} is a source; `modelzoo apply {folder} PICTURES` runs it, `modelzoo plugin check {folder}` checks it"
    ));
    Ok(Exit::Done)
}
