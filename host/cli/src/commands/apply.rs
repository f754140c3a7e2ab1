//! `modelzoo apply`: labels for pictures and videos.

use super::run::{self, Command};
use crate::{
    arguments::{ApplyArguments, Global},
    exit::Exit,
    terminal::{Result, Terminal},
};
use modelzoo::Task;

pub fn run(arguments: &ApplyArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let command = Command {
        task: Task::Apply(arguments.options()),
        label: "applying",
        model: &arguments.model,
        input: &arguments.input,
        annotate: arguments.annotate.as_deref(),
        label_images: arguments.output_dir.as_deref(),
    };
    run::run(command, global, terminal)
}
