//! `modelzoo store`: what is on this machine.

use super::{lock::verify_store, open::open};
use crate::{
    arguments::{Global, StoreAction, StoreArguments},
    exit::Exit,
    terminal::{Result, Terminal, print_json, print_line, print_table},
};
use indicatif::HumanBytes;
use modelzoo::{
    Plan as _,
    output::OutputError,
    store::{GcOptions, StoreEntry, StoreEntryKind},
};
use std::time::Duration;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

pub fn run(arguments: &StoreArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    match &arguments.action {
        StoreAction::Dir => print_line(open(global, terminal)?.store().root().display())?,
        StoreAction::List(facts) => {
            let entries = open(global, terminal)?.store().list()?;
            if facts.json {
                print_json(&entries)?;
            } else {
                if entries.is_empty() {
                    terminal.say("the store is empty");
                }
                print_entries(&entries)?;
            }
        }
        StoreAction::Verify { repair, facts } => return verify_store(facts.json, *repair, global, terminal),
        StoreAction::Gc {
            unused_for,
            dry_run,
            facts,
        } => {
            let options = GcOptions {
                unused_for: unused_for.map(|days| Duration::from_secs(days * SECONDS_A_DAY)),
                ..GcOptions::default()
            };
            let zoo = open(global, terminal)?;
            let plan = zoo.plan_gc(&options)?;
            let garbage = if *dry_run {
                plan.garbage().clone()
            } else {
                plan.execute()?
            };
            if facts.json {
                print_json(&garbage)?;
            } else {
                print_entries(&garbage.entries)?;
                let verb = if *dry_run { "would be freed" } else { "freed" };
                terminal.say(format!("{} {verb}", HumanBytes(garbage.size_bytes)));
            }
        }
    }
    Ok(Exit::Done)
}

fn print_entries(entries: &[StoreEntry]) -> Result<(), OutputError> {
    let row = |entry: &StoreEntry| {
        let kind = match entry.kind {
            StoreEntryKind::Source => "source",
            StoreEntryKind::Weights => "weights",
            StoreEntryKind::Artifact => "artifact",
            StoreEntryKind::Crate => "crate",
            StoreEntryKind::Calibration => "calibration",
            StoreEntryKind::Build => "build",
            StoreEntryKind::Temporary => "temporary",
        };
        [
            kind.to_owned(),
            HumanBytes(entry.size_bytes).to_string(),
            entry.name.clone(),
        ]
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    print_table(["kind", "size", "name"], &rows)
}
