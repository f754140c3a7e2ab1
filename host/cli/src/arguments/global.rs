use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Use what is on this machine, never the network
    #[arg(long, global = true, env = "MODELZOO_OFFLINE")]
    pub offline: bool,

    /// Refuse whatever would change the lock file
    #[arg(long, global = true, env = "MODELZOO_LOCKED")]
    pub locked: bool,

    /// The lock file (default: modelzoo.lock in the current folder or above it)
    #[arg(long, global = true, value_name = "FILE", env = "MODELZOO_LOCK")]
    pub lock: Option<PathBuf>,

    /// Print nothing but data and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more of what happens (twice: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Draw no progress bars
    #[arg(long, global = true, env = "MODELZOO_NO_PROGRESS")]
    pub no_progress: bool,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// When to use colours. `auto` follows the terminal and the variable `NO_COLOR`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}
