//! `modelzoo completions` and `modelzoo man`: what the command line says of itself, for shells and for `man`.

use crate::{
    arguments::{Arguments, CompletionsArguments, ManArguments},
    exit::Exit,
    terminal::{Context, Result, Terminal, print},
};
use clap::CommandFactory as _;

const PROGRAM: &str = "modelzoo";

pub fn completions(arguments: &CompletionsArguments) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), PROGRAM, &mut script);
    print(String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub fn man(arguments: &ManArguments, terminal: &Terminal) -> Result<Exit> {
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
        print(String::from_utf8_lossy(&page))?;
        return Ok(Exit::Done);
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
