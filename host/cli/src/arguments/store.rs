use super::{DryRunArgument, JsonArgument};
use clap::{Args, Subcommand};

#[derive(Clone, Debug, Args)]
pub struct LockArguments {
    /// What to pin: models, or sources, of which all models are meant; nothing of them runs (default: all that was run in
    /// this folder)
    #[arg(value_name = "SOURCE")]
    pub models: Vec<String>,

    #[command(flatten)]
    pub facts: JsonArgument,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

#[derive(Clone, Debug, Args)]
pub struct VerifyArguments {
    /// Compile plugins anew in an empty folder, and compare them with those that are here, byte for byte; the exit code is 6
    /// where one is not what its source gives, and 7 where this machine cannot tell
    #[arg(long)]
    pub rebuild: bool,

    /// Whose plugins: sources, or models of them (default: all that the lock file has)
    #[arg(value_name = "SOURCE", requires = "rebuild")]
    pub sources: Vec<String>,

    #[command(flatten)]
    pub facts: JsonArgument,
}

#[derive(Clone, Debug, Args)]
pub struct StoreArguments {
    #[command(subcommand)]
    pub action: StoreAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum StoreAction {
    /// Print the store's folder
    Dir,
    /// List what the store holds
    List(JsonArgument),
    /// Compare everything with its hash
    Verify {
        /// Move away what was changed, to be fetched again
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        facts: JsonArgument,
    },
    /// Delete what killed processes left behind, and what was not used for long
    Gc {
        /// Delete what was not used for so many days
        #[arg(long, value_name = "DAYS")]
        unused_for: Option<u64>,
        /// Only show what would be deleted
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        facts: JsonArgument,
    },
}
