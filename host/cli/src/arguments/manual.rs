use clap::Args;
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Clone, Debug, Args)]
pub struct ManArguments {
    /// The folder for the pages of all commands (default: the first page, to standard output)
    pub folder: Option<PathBuf>,
}
