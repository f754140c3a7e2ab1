//! `modelzoo doctor`: why does it not work here?

use crate::{
    arguments::JsonArgument,
    exit::Exit,
    terminal::{print_checks, print_json},
};
use clap::Args;
use modelzoo_sources::{
    config::Config,
    doctor::{ThisMachine, Verdict, examine},
    store::Store,
};

#[derive(Clone, Debug, Args)]
pub struct DoctorArguments {
    #[command(flatten)]
    facts: JsonArgument,
}

pub fn run(arguments: &DoctorArguments) -> anyhow::Result<Exit> {
    let config = Config::load();
    let (store, data) = (Store::default_root()?, Store::default_data_dir()?);
    let checks = examine(&ThisMachine, config.as_ref(), &store, &data);
    if arguments.facts.json {
        print_json(&checks)?;
    } else {
        print_checks(&checks)?;
    }
    let is_bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
    Ok(if is_bad { Exit::Failed } else { Exit::Done })
}
