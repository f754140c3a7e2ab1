use super::{DryRunArgument, JsonArgument, ModelChoice, ModelOptions, PluginRunArguments};
use clap::Args;

#[derive(Clone, Debug, Args)]
pub struct ListArguments {
    /// A source: user/repo[@ref], a Git or archive URL, a local folder (default: all registered sources)
    pub source: Option<String>,

    /// Models that have all of these tags
    #[arg(short, long, value_name = "TAG", value_delimiter = ',')]
    pub tags: Vec<String>,

    /// Models that have one of these licences; `permissive` stands for Apache, MIT, BSD and their like
    #[arg(short, long, value_name = "LICENSE", value_delimiter = ',')]
    pub license: Vec<String>,

    /// Also the published models that are known to run here, of which nothing is registered
    #[arg(short, long, conflicts_with_all = ["source", "downloaded"])]
    pub available: bool,

    /// Models whose weights are on this machine
    #[arg(short, long, conflicts_with = "source")]
    pub downloaded: bool,

    /// Print names alone
    #[arg(long)]
    pub names_only: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "names_only")]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct SearchArguments {
    /// Words that must be in a model's name, task, family, licence or description
    #[arg(required = true)]
    pub words: Vec<String>,

    /// Models that have one of these licences; `permissive` stands for Apache, MIT, BSD and their like
    #[arg(short, long, value_name = "LICENSE", value_delimiter = ',')]
    pub license: Vec<String>,

    #[command(flatten)]
    pub facts: JsonArgument,
}

/// A question about a model.
#[derive(Clone, Debug, Args)]
pub struct ModelQueryArguments {
    #[command(flatten)]
    pub choice: ModelChoice,

    #[command(flatten)]
    pub facts: JsonArgument,
}

#[derive(Clone, Debug, Args)]
pub struct InfoArguments {
    #[command(flatten)]
    pub model: ModelQueryArguments,

    /// Load the model, and show what it says of itself as well: its classes, and whether it has embeddings, logits and texts.
    /// That runs its code, which you are asked about first
    #[arg(long)]
    pub load: bool,

    #[command(flatten)]
    pub options: ModelOptions,

    #[command(flatten)]
    pub run: PluginRunArguments,
}

/// A change of what is kept of a model.
#[derive(Clone, Debug, Args)]
pub struct ModelChangeArguments {
    #[command(flatten)]
    pub model: ModelQueryArguments,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}
