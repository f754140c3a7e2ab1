//! `modelzoo dataset merge`.

use crate::{
    arguments::MergeArguments,
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Result, Step, Terminal, count, print_json},
};
use modelzoo::{ShardSet, dataset::ShardMerge};
use serde::Serialize;
use std::path::Path;

/// What was put together, for programs.
#[derive(Serialize)]
struct Merged<'a> {
    output: &'a Path,
    shards: usize,
    samples: u64,
    /// How many samples failed, or of which a part did, when their shards were run.
    failed: u64,
    notes: &'a [String],
    /// The samples that are not there, or not whole, because of their files.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    left_out: &'a [String],
}

pub fn run(arguments: &MergeArguments, terminal: &Terminal) -> Result<Exit> {
    let output = &arguments.output;
    let shards = match arguments.shards.as_slice() {
        [] => ShardSet::find(output)?,
        named => ShardSet::read(named.to_vec())?,
    };
    let (number, samples, failed) = (shards.records().count(), shards.samples(), shards.failed());
    let bar = terminal.bar(Step::Pictures, "merging", Some(samples));
    let plan = ShardMerge::new(shards, output, arguments.format, || bar.advance())?;
    let summary = carry_out(plan, arguments.dry_run, arguments.facts.json)?;
    bar.clear();
    let Some(summary) = summary else {
        return Ok(Exit::Done);
    };
    if arguments.facts.json {
        print_json(&Merged {
            output,
            shards: number,
            samples,
            failed,
            notes: &summary.notes,
            left_out: summary.losses.named(),
        })?;
    } else {
        summary.notes.iter().for_each(|note| terminal.warn(note));
        terminal.tell_losses([&summary.losses]);
        let failed = match failed {
            0 => String::new(),
            failed => format!(", {failed} of them failed"),
        };
        terminal.say(format!(
            "{}: {}{failed}, of {}",
            output.display(),
            count(samples, "sample"),
            count(number as u64, "shard"),
        ));
    }
    Ok(match summary.losses.is_empty() {
        true => Exit::Done,
        false => Exit::Partial,
    })
}
