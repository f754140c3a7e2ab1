//! `modelzoo store`: what is on this machine.

use super::{lock::verify_store, zoo::open};
use crate::{
    arguments::{Global, JsonArgument},
    exit::Exit,
    terminal::{Terminal, print_json, print_line, print_table},
};
use clap::{Args, Subcommand};
use indicatif::HumanBytes;
use modelzoo_data::output::OutputError;
use modelzoo_sources::store::{GcOptions, StoreEntry, StoreEntryKind};
use std::time::Duration;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

#[derive(Clone, Debug, Args)]
pub struct StoreArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Print the store's folder
    Dir,
    /// List what the store holds
    List(JsonArgument),
    /// Compare everything with its hash
    Verify {
        /// Move away what was changed, to be fetched again
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        facts: JsonArgument,
    },
    /// Delete what killed processes left behind, and what was not used for long
    Gc {
        /// Delete what was not used for so many days
        #[arg(long, value_name = "DAYS")]
        unused_for: Option<u64>,
        /// Only show what would be deleted
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        facts: JsonArgument,
    },
}

pub fn run(arguments: &StoreArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Dir => print_line(open(global, terminal)?.settings().store.root().display())?,
        Action::List(facts) => {
            let entries = open(global, terminal)?.settings().store.list()?;
            if facts.json {
                print_json(&entries)?;
            } else {
                if entries.is_empty() {
                    terminal.say("the store is empty");
                }
                print_entries(&entries)?;
            }
        }
        Action::Verify { repair, facts } => return verify_store(facts.json, *repair, global, terminal),
        Action::Gc {
            unused_for,
            dry_run,
            facts,
        } => {
            let options = GcOptions {
                unused_for: unused_for.map(|days| Duration::from_secs(days * SECONDS_A_DAY)),
                dry_run: *dry_run,
                ..GcOptions::default()
            };
            let collected = open(global, terminal)?.settings().store.gc(&options)?;
            if facts.json {
                print_json(&collected)?;
            } else {
                print_entries(&collected.entries)?;
                let verb = if *dry_run { "would be freed" } else { "freed" };
                terminal.say(format!("{} {verb}", HumanBytes(collected.size_bytes)));
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
