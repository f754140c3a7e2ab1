//! A command a file: each takes its arguments and says how the program ends.

mod apply;
mod embed;
pub mod info;
pub mod list;
mod model;
mod run;

use crate::{
    arguments::{Arguments, Command},
    exit::Exit,
    terminal::Terminal,
};

/// Runs the command that the user asked for.
pub fn run(arguments: Arguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    let global = arguments.global;
    match arguments.command {
        Command::Apply(arguments) => apply::run(&arguments, &global, terminal),
        Command::Embed(arguments) => embed::run(&arguments, &global, terminal),
        Command::Info(arguments) => info::run(&arguments, &global, terminal),
        Command::List(arguments) => list::run(&arguments, &global, terminal),
    }
}
