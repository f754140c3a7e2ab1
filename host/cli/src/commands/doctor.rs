//! `modelzoo doctor`: why does it not work here?

use crate::{
    exit::Exit,
    terminal::{print_json, print_table},
};
use clap::Args;
use modelzoo_sources::{
    config::Config,
    doctor::{Check, ThisMachine, Verdict, examine},
    store::Store,
};

#[derive(Clone, Debug, Args)]
pub struct DoctorArguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &DoctorArguments) -> anyhow::Result<Exit> {
    let config = Config::load();
    let (store, data) = (Store::default_root()?, Store::default_data_dir()?);
    let checks = examine(&ThisMachine, config.as_ref(), &store, &data);
    if arguments.json {
        print_json(&checks)?;
    } else {
        let row = |check: &Check| {
            [
                check.name.to_owned(),
                check.verdict.to_string(),
                check.detail.clone(),
            ]
        };
        let rows: Vec<_> = checks.iter().map(row).collect();
        print_table(["what", "verdict", "found"], &rows);
        for check in &checks {
            if let Some(remedy) = &check.remedy {
                println!("{}: {remedy}", check.name);
            }
        }
    }
    let is_bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
    Ok(if is_bad { Exit::Failed } else { Exit::Done })
}
