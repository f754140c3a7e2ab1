//! A command a file: each takes its arguments and says how the program ends.

mod abilities;
mod apply;
mod bundle;
mod calibration;
mod convert;
mod dataset;
mod doctor;
mod embed;
mod evaluate;
mod info;
mod list;
mod loading;
mod lock;
mod manual;
mod open;
mod plan;
mod plugin;
mod rebuild;
mod requirements;
mod run;
mod search;
mod sources;
mod store;
mod trust;
mod weights;

use crate::{
    arguments::{Arguments, Command},
    exit::Exit,
    terminal::{Result, Terminal},
};

/// Runs the command that the user asked for.
pub fn run(arguments: Arguments, terminal: &Terminal) -> Result<Exit> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Apply(arguments) => apply::run(arguments, global, terminal),
        Command::Embed(arguments) => embed::run(arguments, global, terminal),
        Command::Evaluate(arguments) => evaluate::run(arguments, global, terminal),
        Command::List(arguments) => list::run(arguments, global, terminal),
        Command::Search(arguments) => search::run(arguments, terminal),
        Command::Info(arguments) => info::run(arguments, global, terminal),
        Command::Find(arguments) => weights::find(arguments, global, terminal),
        Command::Download(arguments) => weights::download(arguments, global, terminal),
        Command::Delete(arguments) => weights::delete(arguments, global, terminal),
        Command::Requirements(arguments) => requirements::run(arguments, global, terminal),
        Command::Update(arguments) => sources::update_command(arguments, global, terminal),
        Command::Sources(arguments) => sources::run(arguments, global, terminal),
        Command::Lock(arguments) => lock::lock(arguments, global, terminal),
        Command::Verify(arguments) if arguments.rebuild => rebuild::run(arguments, global, terminal),
        Command::Verify(arguments) => lock::verify(arguments.facts, global, terminal),
        Command::Trust(arguments) => trust::run(arguments, global, terminal),
        Command::Weights(arguments) => convert::run(arguments, terminal),
        Command::Plugin(arguments) => plugin::run(arguments, global, terminal),
        Command::Dataset(arguments) => dataset::run(arguments, terminal),
        Command::Bundle(arguments) => bundle::run(arguments, global, terminal),
        Command::Store(arguments) => store::run(arguments, global, terminal),
        Command::Doctor(facts) => doctor::run(*facts),
        Command::Completions(arguments) => manual::completions(arguments),
        Command::Man(arguments) => manual::man(arguments, terminal),
    }
}
