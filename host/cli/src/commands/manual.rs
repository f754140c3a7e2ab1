//! `modelzoo completions` and `modelzoo man`: what the command line says of itself, for shells and for `man`.

use crate::{arguments::Arguments, exit::Exit, terminal::Terminal};
use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use std::{
    io::{self, Write as _},
    path::PathBuf,
};

const PROGRAM: &str = "modelzoo";

#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    shell: clap_complete::Shell,
}

#[derive(Clone, Debug, Args)]
pub struct ManArguments {
    /// The folder for the pages of all commands (default: the first page, to standard output)
    folder: Option<PathBuf>,
}

pub fn completions(arguments: &CompletionsArguments) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), PROGRAM, &mut script);
    print(&script)
}

pub fn man(arguments: &ManArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
        return print(&page);
    };
    fs_err::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
        .with_context(|| format!("cannot write the manual pages to {}", folder.display()))?;
    terminal.say(format!(
        "the manual pages are in {0}; `man -l {0}/{PROGRAM}.1` shows the first",
        folder.display()
    ));
    Ok(Exit::Done)
}

/// Prints at once: a reader that has seen enough, such as `head`, is no error.
fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}
