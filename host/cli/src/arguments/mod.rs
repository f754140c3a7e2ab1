//! The command line.

mod global;
mod model;
mod run;

pub use global::{Color, Global};
pub use model::{IsolationArgument, ModelArguments, ModelChoice};
pub use run::{ApplyArguments, EmbedArguments, InputArguments};

use clap::{Parser, Subcommand};

/// Run any model that someone published in a Git repository, natively.
#[derive(Debug, Parser)]
#[command(
    name = "modelzoo",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Apply a model to pictures
    Apply(ApplyArguments),
    /// Compute embeddings of pictures with a model
    Embed(EmbedArguments),
    /// Show what is known of a model or a source
    Info(crate::commands::info::InfoArguments),
    /// List the models of a source, or of all sources in the store
    List(crate::commands::list::ListArguments),
}
