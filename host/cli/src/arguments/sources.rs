use super::{DryRunArgument, JsonArgument};
use clap::{Args, Subcommand};

#[derive(Clone, Debug, Args)]
pub struct SourcesArguments {
    #[command(subcommand)]
    pub action: SourcesAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum SourcesAction {
    /// Register a source, so that its models are known by name
    Add(SourceChangeArguments),
    /// List the registered sources
    List(JsonArgument),
    /// Show what is known of a registered source
    Show(SourceArgument),
    /// Show what has changed in a source, and take it
    Update(UpdateArguments),
    /// Forget a source; its files and weights stay in the store
    Remove(SourceChangeArguments),
}

#[derive(Clone, Debug, Args)]
pub struct SourceArgument {
    /// A source: user/repo[@ref], a Git or archive URL, a local folder
    pub source: String,
    #[command(flatten)]
    pub facts: JsonArgument,
}

#[derive(Clone, Debug, Args)]
pub struct SourceChangeArguments {
    #[command(flatten)]
    pub source: SourceArgument,
    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

#[derive(Clone, Debug, Args)]
pub struct UpdateArguments {
    /// The source: a registered one, or one in modelzoo.lock (default: all that are registered)
    pub source: Option<String>,
    /// Only show what would change; the new commits are fetched for that
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub facts: JsonArgument,
}
