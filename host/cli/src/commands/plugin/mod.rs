//! `modelzoo plugin`: for authors of plugins.

mod bench;
mod check;
mod crate_manifest;
mod dev;
mod new;
mod pack;
mod pack_prebuilt;
mod picture;
mod signed_text;

use crate::{
    arguments::{Global, PluginAction, PluginArguments},
    exit::Exit,
    terminal::{Result, Terminal},
};
use std::path::Path;

pub fn run(arguments: &PluginArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    match &arguments.action {
        PluginAction::New(arguments) => new::run(arguments, terminal),
        PluginAction::Dev(arguments) => dev::run(arguments, terminal),
        PluginAction::Check(arguments) => check::run(arguments, global, terminal),
        PluginAction::Bench(arguments) => bench::run(arguments, global, terminal),
        PluginAction::Pack(arguments) if arguments.prebuilt => {
            pack_prebuilt::run(arguments, global, terminal)
        }
        PluginAction::Pack(arguments) => pack::run(arguments, terminal),
        PluginAction::SignedText(arguments) => signed_text::run(arguments, terminal),
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
