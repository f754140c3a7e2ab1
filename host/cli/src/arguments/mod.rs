//! The command line.

mod global;
mod model;
mod output;
mod run;

pub use global::{Color, Global};
pub use model::{IsolationArgument, ModelArguments, ModelChoice, ModelOptions, PluginRunArguments, Setting};
pub use output::{DryRunArgument, JsonArgument, format};
pub use run::{ApplyArguments, EmbedArguments, InputArguments};

use crate::commands::{dataset, doctor, info, list, lock, manual, models, plugin, sources, store, trust};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not trusted, 5 build failed, 6 integrity,
            7 incompatible plugin, 8 done but some inputs failed";

/// Run any model that someone published in a Git repository, natively.
#[derive(Debug, Parser)]
#[command(
    name = "modelzoo",
    version,
    arg_required_else_help = true,
    after_help = EXIT_CODES
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Reads the command line of this process; ends it after help and usage errors, which follow `--color` too.
    pub fn of_process() -> Self {
        let command = Self::command().color(Color::asked_for(std::env::args_os()).into());
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Apply a model to pictures and videos
    Apply(ApplyArguments),
    /// Compute embeddings of pictures, frames, videos, objects or texts with a model
    Embed(EmbedArguments),
    /// Make, show, export and import datasets
    Dataset(dataset::DatasetArguments),
    /// List the models of a source, or of all registered sources
    List(list::ListArguments),
    /// Show what is known of a model
    Info(info::InfoArguments),
    /// Print where the weights of a model are
    Find(models::ModelArgument),
    /// Build a model's plugin and get its weights, ready for use without network
    Download(models::ChangeArguments),
    /// Delete the weights of a model
    Delete(models::ChangeArguments),
    /// Show what a model needs, and what this machine lacks
    Requirements(models::ModelArgument),
    /// Show what has changed in sources, and take it
    Update(sources::UpdateArguments),
    /// Register, list, update and forget sources
    Sources(sources::SourcesArguments),
    /// Write modelzoo.lock from what was run in this folder
    Lock(lock::LockArguments),
    /// Compare all that is on this machine with its hashes
    Verify(JsonArgument),
    /// Allow and deny the code of sources
    Trust(trust::TrustArguments),
    /// Look into the store, and tidy it
    Store(store::StoreArguments),
    /// Write, check, measure and pack a plugin of your own
    Plugin(plugin::PluginArguments),
    /// Find out why something does not work here
    Doctor(doctor::DoctorArguments),
    /// Print a script that completes commands in a shell
    Completions(manual::CompletionsArguments),
    /// Write the manual pages
    Man(manual::ManArguments),
}
