//! `modelzoo plugin`: for authors of plugins.

mod bench;
mod check;
mod crate_manifest;
mod new;
mod pack;
mod picture;
mod signed_text;

use crate::{arguments::Global, exit::Exit, terminal::Terminal};
use clap::{Args, Subcommand};
use std::path::Path;

#[derive(Clone, Debug, Args)]
pub struct PluginArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Write a source to start from: a model that works, in a folder of its own
    New(new::NewArguments),
    /// Check that a source builds, loads and does what it says, as it will for its users
    Check(check::CheckArguments),
    /// Measure how fast a model loads and predicts, and the memory that it takes
    Bench(bench::BenchArguments),
    /// Pack a source into an archive that is the same wherever it is packed
    Pack(pack::PackArguments),
    /// Print the text that the author of a source signs with minisign
    SignedText(signed_text::SignedTextArguments),
}

pub fn run(arguments: &PluginArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::New(arguments) => new::run(arguments, terminal),
        Action::Check(arguments) => check::run(arguments, global, terminal),
        Action::Bench(arguments) => bench::run(arguments, global, terminal),
        Action::Pack(arguments) => pack::run(arguments, terminal),
        Action::SignedText(arguments) => signed_text::run(arguments, terminal),
    }
}

/// A path as commands take it: with a `.` or `/` first, so that it is no model's name.
fn shown(path: &Path) -> String {
    if path.is_absolute() || path.starts_with(".") || path.starts_with("..") {
        path.display().to_string()
    } else {
        Path::new(".").join(path).display().to_string()
    }
}
