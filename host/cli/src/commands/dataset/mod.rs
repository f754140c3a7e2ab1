//! `modelzoo dataset`: pictures and videos with their labels in one file.

mod create;
mod export;
mod import;
mod info;

use crate::{
    arguments::{DatasetAction, DatasetArguments},
    exit::Exit,
    terminal::{Terminal, count},
};
use modelzoo::dataset::AddSummary;
use serde::Serialize;
use std::path::Path;

pub fn run(arguments: &DatasetArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    match &arguments.action {
        DatasetAction::Create(arguments) => create::run(arguments, terminal),
        DatasetAction::Info(arguments) => info::run(arguments),
        DatasetAction::Export(arguments) => export::run(arguments, terminal),
        DatasetAction::Import(arguments) => import::run(arguments, terminal),
    }
}

/// What was added to a dataset, for programs.
#[derive(Serialize)]
struct Added<'a> {
    dataset: &'a Path,
    added: u64,
    merged: u64,
}

impl<'a> Added<'a> {
    fn new(dataset: &'a Path, summary: AddSummary) -> Self {
        Self {
            dataset,
            added: summary.added,
            merged: summary.merged,
        }
    }

    fn tell(&self, json: bool, terminal: &Terminal) -> anyhow::Result<()> {
        if json {
            return crate::terminal::print_json(self);
        }
        let known = match self.merged {
            0 => String::new(),
            merged => format!(", {} that it had", count(merged, "sample")),
        };
        terminal.say(format!(
            "{}: {} added{known}",
            self.dataset.display(),
            count(self.added, "sample")
        ));
        Ok(())
    }
}
