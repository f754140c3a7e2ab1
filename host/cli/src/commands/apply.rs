//! `modelzoo apply`: labels for pictures and videos.

use super::run::{self, Annotations, Command, Content};
use crate::{
    arguments::{ApplyArguments, Global},
    exit::Exit,
    terminal::Terminal,
};
use modelzoo_engine::Task;

pub fn run(arguments: &ApplyArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let command = Command {
        task: Task::Apply(arguments.options()),
        content: Content::Labels,
        label: "applying",
        model: &arguments.model,
        input: &arguments.input,
    };
    if arguments.input.dry_run.dry_run {
        let folders = [&arguments.annotate, &arguments.output_dir];
        return run::plan(&command, folders.into_iter().flatten(), global, terminal);
    }
    let sampling = arguments.input.sampling();
    let annotations = |info: &_| {
        let folder = arguments.annotate.as_deref()?;
        Some(Annotations::new(folder, sampling, info))
    };
    run::run(command, annotations, global, terminal)
}
