//! `modelzoo dataset`: pictures and videos with their labels in one file.

mod create;
mod export;
mod import;
mod info;

use crate::{
    arguments::{DryRunArgument, JsonArgument},
    exit::Exit,
    terminal::{Terminal, count},
};
use clap::{Args, Subcommand};
use modelzoo_data::dataset::AddSummary;
use serde::Serialize;
use std::path::Path;

#[derive(Clone, Debug, Args)]
pub struct DatasetArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Make a dataset of pictures and videos
    Create(create::CreateArguments),
    /// Show what a dataset holds, and what made it
    Info(info::InfoArguments),
    /// Write a dataset in the format of another program
    Export(export::ExportArguments),
    /// Add what another program has written to a dataset
    Import(import::ImportArguments),
}

pub fn run(arguments: &DatasetArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Create(arguments) => create::run(arguments, terminal),
        Action::Info(arguments) => info::run(arguments),
        Action::Export(arguments) => export::run(arguments, terminal),
        Action::Import(arguments) => import::run(arguments, terminal),
    }
}

/// How samples are added.
#[derive(Clone, Debug, Args)]
struct AddingArguments {
    /// Tags that every sample gets
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    tags: Vec<String>,

    /// Read size, format and length of every file now, where they are not known; models that run over them do it
    /// otherwise
    #[arg(long)]
    metadata: bool,

    #[command(flatten)]
    facts: JsonArgument,

    #[command(flatten)]
    dry_run: DryRunArgument,
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
