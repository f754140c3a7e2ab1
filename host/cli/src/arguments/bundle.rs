use super::{DryRunArgument, JsonArgument};
use clap::{Args, Subcommand};
use modelzoo::{Sha256Digest, config::PluginOrigin};
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub struct BundleArguments {
    #[command(subcommand)]
    pub action: BundleAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum BundleAction {
    /// Write models, and all that they need to run, into one file
    Save(SaveBundleArguments),
    /// Take what is in such a file, as if it had been fetched and downloaded here
    #[command(after_help = LOADING)]
    Load(LoadBundleArguments),
}

const LOADING: &str = "\
Nothing of a bundle runs when it is loaded, and it gives no consent: `modelzoo trust allow REF --offline` does. What is in it \
counts where the network may not be used (`--offline`, MODELZOO_OFFLINE=1).
A bundle that is damaged, incomplete, another one, or refused ends with exit code 6, a file that is none with 1; then nothing \
of it was kept.";

#[derive(Clone, Debug, Args)]
pub struct SaveBundleArguments {
    /// Models, or sources, of which all models are meant
    #[arg(required = true, value_name = "REF")]
    pub models: Vec<String>,

    /// The file
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// The target triple of the machines that it is for (default: that of this one)
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,

    /// Put in what plugins are built of, and none that its author compiled
    #[arg(long, conflicts_with = "prebuilt")]
    pub build: bool,

    /// Put in plugins that their authors compiled, and nothing to build one
    #[arg(long)]
    pub prebuilt: bool,

    #[command(flatten)]
    pub dry_run: DryRunArgument,

    #[command(flatten)]
    pub facts: JsonArgument,
}

impl SaveBundleArguments {
    /// Where plugins come from; `None` asks the configuration.
    pub fn origin(&self) -> Option<PluginOrigin> {
        match (self.build, self.prebuilt) {
            (true, _) => Some(PluginOrigin::Build),
            (_, true) => Some(PluginOrigin::Prebuilt),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct LoadBundleArguments {
    /// The file
    pub file: PathBuf,

    /// The SHA-256 that `bundle save` told, if you have it by another way than the bundle: then what the bundle says of its
    /// sources is believed as what is fetched is
    #[arg(long, value_name = "HASH")]
    pub sha256: Option<Sha256Digest>,

    #[command(flatten)]
    pub dry_run: DryRunArgument,

    #[command(flatten)]
    pub facts: JsonArgument,
}
