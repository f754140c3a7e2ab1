use clap::Args;
use modelzoo::{
    diagnosis::Diagnose as _,
    format::{Format, FormatError},
};

/// How facts are printed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct JsonArgument {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Reads the name of a format. A usage error is one line, so the format that was probably meant is a part of it.
pub fn format(name: &str) -> Result<Format, String> {
    name.parse()
        .map_err(|error: FormatError| match error.next_step() {
            Some(step) => format!("{error} ({step})"),
            None => error.to_string(),
        })
}

/// Whether anything is done at all.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct DryRunArgument {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}
