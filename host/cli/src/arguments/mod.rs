//! The command line.

mod apply;
mod bundle;
mod convert;
mod dataset;
mod embed;
mod evaluate;
mod global;
mod input;
mod manual;
mod model;
mod number;
mod output;
mod plugin;
mod query;
#[cfg(test)]
mod shown;
mod sources;
mod store;
mod trust;

pub use apply::ApplyArguments;
pub use bundle::{BundleAction, BundleArguments, LoadBundleArguments, SaveBundleArguments};
pub use convert::{ConvertArguments, WeightsAction, WeightsArguments};
pub use dataset::{
    CreateArguments, DatasetAction, DatasetArguments, DatasetInfoArguments, ExportArguments, ImportArguments,
    MasksArgument, MediaArgument, MediaTypeArgument, MergeArguments,
};
pub use embed::EmbedArguments;
pub use evaluate::EvaluateArguments;
pub use global::{Color, Global};
pub use input::InputArguments;
pub use manual::{CompletionsArguments, ManArguments};
pub use model::{IsolationArgument, ModelArguments, ModelChoice, ModelOptions, PluginRunArguments, Setting};
pub use output::{DryRunArgument, JsonArgument, format};
pub use plugin::{
    BenchArguments, CheckArguments, DevArguments, NewArguments, PackArguments, PluginAction, PluginArguments,
    SignedTextArguments, TaskArgument,
};
pub use query::{InfoArguments, ListArguments, ModelChangeArguments, ModelQueryArguments, SearchArguments};
pub use sources::{SourceArgument, SourceChangeArguments, SourcesAction, SourcesArguments, UpdateArguments};
pub use store::{LockArguments, StoreAction, StoreArguments, VerifyArguments};
pub use trust::{TrustAction, TrustArguments};

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
    /// Compare what a model says with what is known to be true: top-1, top-5, mAP
    Evaluate(EvaluateArguments),
    /// Make, show, export and import datasets
    Dataset(DatasetArguments),
    /// List the models of a source, or of all registered sources
    List(ListArguments),
    /// Look for a published model that runs here
    Search(SearchArguments),
    /// Show what is known of a model
    Info(InfoArguments),
    /// Print where the weights of a model are
    Find(ModelQueryArguments),
    /// Build a model's plugin and get its weights, ready for use without network
    Download(ModelChangeArguments),
    /// Delete the weights of a model
    Delete(ModelChangeArguments),
    /// Show what a model needs, and what this machine lacks
    Requirements(ModelQueryArguments),
    /// Show what has changed in sources, and take it
    Update(UpdateArguments),
    /// Register, list, update and forget sources
    Sources(SourcesArguments),
    /// Pin sources in modelzoo.lock: those that are named, or all that was run in this folder
    Lock(LockArguments),
    /// Compare all that is on this machine with its hashes, or compiled plugins with their sources
    Verify(VerifyArguments),
    /// Allow and deny the code of sources
    Trust(TrustArguments),
    /// Carry models to machines without network, in one file
    Bundle(BundleArguments),
    /// Look into the store, and tidy it
    Store(StoreArguments),
    /// Convert files of weights
    Weights(WeightsArguments),
    /// Write, check, measure and pack a plugin of your own
    Plugin(PluginArguments),
    /// Find out why something does not work here
    Doctor(JsonArgument),
    /// Print a script that completes commands in a shell
    Completions(CompletionsArguments),
    /// Write the manual pages
    Man(ManArguments),
}
