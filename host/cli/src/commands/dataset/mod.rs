//! `modelzoo dataset`: pictures and videos with their labels in one file.

mod create;
mod export;
mod import;
mod info;
mod merge;

use crate::{
    arguments::{DatasetAction, DatasetArguments},
    exit::Exit,
    terminal::{Result, Terminal, count},
};
use modelzoo::format::{Losses, import::ImportSummary};
use serde::Serialize;
use std::path::Path;

pub fn run(arguments: &DatasetArguments, terminal: &Terminal) -> Result<Exit> {
    match &arguments.action {
        DatasetAction::Create(arguments) => create::run(arguments, terminal),
        DatasetAction::Info(arguments) => info::run(arguments),
        DatasetAction::Export(arguments) => export::run(arguments, terminal),
        DatasetAction::Import(arguments) => import::run(arguments, terminal),
        DatasetAction::Merge(arguments) => merge::run(arguments, terminal),
    }
}

/// What was added to a dataset, for programs.
#[derive(Serialize)]
struct Added<'a> {
    dataset: &'a Path,
    added: u64,
    merged: u64,
    /// What could not be added.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    left_out: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip)]
    losses: &'a Losses,
}

impl<'a> Added<'a> {
    fn new(dataset: &'a Path, summary: &'a ImportSummary) -> Self {
        Self {
            dataset,
            added: summary.added,
            merged: summary.merged,
            left_out: summary.losses.named(),
            notes: &summary.notes,
            losses: &summary.losses,
        }
    }

    /// Tells it, and says how the program ends.
    fn tell(&self, json: bool, terminal: &Terminal) -> Result<Exit> {
        let exit = match self.losses.is_empty() {
            true => Exit::Done,
            false => Exit::Partial,
        };
        if json {
            crate::terminal::print_json(self)?;
            return Ok(exit);
        }
        self.notes.iter().for_each(|note| terminal.warn(note));
        terminal.tell_losses([self.losses]);
        let known = match self.merged {
            0 => String::new(),
            merged => format!(", {} that it had", count(merged, "sample")),
        };
        let left_out = match self.losses.count() {
            0 => String::new(),
            lost => format!(", {lost} left out of what was there"),
        };
        terminal.say(format!(
            "{}: {} added{known}{left_out}",
            self.dataset.display(),
            count(self.added, "sample")
        ));
        Ok(exit)
    }
}
