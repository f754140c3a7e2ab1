//! `modelzoo lock` and `modelzoo verify`: what is pinned, and whether it is intact.

use super::{plan::Plan, zoo::open};
use crate::{
    arguments::{DryRunArgument, Global, JsonArgument},
    exit::Exit,
    terminal::{Terminal, count, print_json, print_line},
};
use clap::Args;
use modelzoo_sources::{lock::LockFile, store::Verdict};

#[derive(Clone, Debug, Args)]
pub struct LockArguments {
    #[command(flatten)]
    facts: JsonArgument,

    #[command(flatten)]
    dry_run: DryRunArgument,
}

/// Writes the lock file from what was run in this folder.
pub fn lock(arguments: &LockArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    let place = &zoo.settings().lock_place;
    if arguments.dry_run.dry_run {
        let (path, changes) = LockFile::plan_recorded(place)?;
        let plan = changes.iter().fold(Plan::default(), |plan, change| {
            plan.and(format!("write to {}: {change}", path.display()))
        });
        plan.print(arguments.facts.json)?;
        return Ok(Exit::Done);
    }
    let (path, changes) = LockFile::lock_recorded(place)?;
    if arguments.facts.json {
        print_json(&serde_json::json!({ "path": path, "changes": changes }))?;
    } else {
        changes.iter().try_for_each(print_line)?;
        terminal.say(format!(
            "{} in {}",
            count(changes.len() as u64, "change"),
            path.display()
        ));
    }
    Ok(Exit::Done)
}

/// Checks all that the store holds against its hashes.
pub fn verify(facts: JsonArgument, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    verify_store(facts.json, false, global, terminal)
}

/// As `verify`; with `repair`, what was changed is moved away and fetched again on its next use.
pub fn verify_store(json: bool, repair: bool, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    let (mut checked, mut broken, mut printed) = (0, Vec::new(), Ok(()));
    zoo.settings().store.verify(repair, &mut |entry, verdict| {
        checked += 1;
        if *verdict != Verdict::Intact {
            broken.push(serde_json::json!({ "entry": entry, "verdict": verdict }));
            // Whether or not somebody reads on, everything is checked.
            if !json && printed.is_ok() {
                printed = print_line(format_args!("{}: {}", entry.path.display(), describe(verdict)));
            }
        }
    })?;
    printed?;
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
