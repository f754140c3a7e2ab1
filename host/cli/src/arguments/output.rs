use clap::Args;

/// How facts are printed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct JsonArgument {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Whether anything is done at all.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct DryRunArgument {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}
