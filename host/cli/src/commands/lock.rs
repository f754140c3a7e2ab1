//! `modelzoo lock` and `modelzoo verify`: what is pinned, and whether it is intact.

use super::zoo::open;
use crate::{
    arguments::{Global, JsonArgument},
    exit::Exit,
    terminal::{Terminal, count, print_json},
};
use clap::Args;
use modelzoo_sources::{lock::LockFile, store::Verdict};

#[derive(Clone, Debug, Args)]
pub struct LockArguments {
    #[command(flatten)]
    facts: JsonArgument,
}

/// Writes the lock file from what was run in this folder.
pub fn lock(arguments: &LockArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    let (path, changes) = LockFile::lock_recorded(zoo.settings().lock_place.clone())?;
    if arguments.facts.json {
        print_json(&serde_json::json!({ "path": path, "changes": changes }))?;
    } else {
        changes.iter().for_each(|change| println!("{change}"));
        terminal.say(format!(
            "{} in {}",
            count(changes.len() as u64, "change"),
            path.display()
        ));
    }
    Ok(Exit::Done)
}

/// Checks all that the store holds against its hashes.
pub fn verify(arguments: &LockArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    verify_store(arguments.facts.json, false, global, terminal)
}

/// As `verify`; with `repair`, what was changed is moved away and fetched again on its next use.
pub fn verify_store(json: bool, repair: bool, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    let (mut checked, mut broken) = (0, Vec::new());
    zoo.settings().store.verify(repair, &mut |entry, verdict| {
        checked += 1;
        if *verdict != Verdict::Intact {
            broken.push(serde_json::json!({ "entry": entry, "verdict": verdict }));
            if !json {
                println!("{}: {}", entry.path.display(), describe(verdict));
            }
        }
    })?;
    if json {
        print_json(&serde_json::json!({ "checked": checked, "broken": broken }))?;
    } else {
        terminal.say(format!(
            "{} checked, {} not intact",
            count(checked, "item"),
            broken.len()
        ));
    }
    Ok(if broken.is_empty() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

fn describe(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Intact => "intact".to_owned(),
        Verdict::Changed { found } => format!("changed, its hash is {found}"),
        Verdict::Unreadable { reason } => format!("cannot be read: {reason}"),
    }
}
