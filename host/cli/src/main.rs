//! The `modelzoo` program.
// `println!` panics when its reader has gone; `terminal::print_line` does not.
#![deny(clippy::print_stdout)]

mod arguments;
mod commands;
mod exit;
mod signals;
mod terminal;

use arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A worker is this program started again: it must not read the command line as its own.
    modelzoo::run_worker_if_asked();
    signals::clear_up_when_ended();
    let arguments = Arguments::of_process();
    let terminal = terminal::Terminal::new(&arguments.global);
    terminal.start_logging(&arguments.global);
    match commands::run(arguments, &terminal) {
        Ok(exit) => exit.into(),
        Err(failure) => terminal.report(&failure).into(),
    }
}
