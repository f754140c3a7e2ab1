use super::{DryRunArgument, JsonArgument};
use clap::{Args, Subcommand};

#[derive(Clone, Debug, Args)]
pub struct TrustArguments {
    #[command(subcommand)]
    pub action: TrustAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TrustAction {
    /// List the decisions
    List(JsonArgument),
    /// Allow the code of a source, exactly as it is at this ref
    Allow {
        /// user/repo@ref, a Git or archive URL
        source: String,

        #[command(flatten)]
        dry_run: DryRunArgument,
    },
    /// Deny all code of a source or an owner
    Deny {
        /// A source, or an owner such as github.com/acme
        source: String,

        #[command(flatten)]
        dry_run: DryRunArgument,
    },
    /// Take back what was decided
    Revoke {
        /// The source or owner
        source: String,

        #[command(flatten)]
        dry_run: DryRunArgument,
    },
}
