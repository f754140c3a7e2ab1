//! `modelzoo bundle`: models in one file, for machines without network.

use super::{open::open, plan::carry_out};
use crate::{
    arguments::{BundleAction, BundleArguments, Global, LoadBundleArguments, SaveBundleArguments},
    exit::Exit,
    terminal::{Result, Terminal, count, print_json, print_line},
};
use indicatif::HumanBytes;
use modelzoo::{LoadSettings, TARGET};
use serde_json::json;

pub fn run(arguments: &BundleArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    match &arguments.action {
        BundleAction::Save(arguments) => save(arguments, global, terminal),
        BundleAction::Load(arguments) => load(arguments, global, terminal),
    }
}

fn save(arguments: &SaveBundleArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let models = arguments
        .models
        .iter()
        .map(|model| zoo.parse_model(model, None))
        .collect::<Result<Vec<_>, _>>()?;
    let settings = LoadSettings {
        origin: arguments.origin(),
        ..LoadSettings::default()
    };
    let (path, json) = (&arguments.output, arguments.facts.json);
    let target = arguments.target.as_deref().unwrap_or(TARGET);
    let plan = zoo.plan_save_bundle(&models, path, target, &settings)?;
    let Some(written) = carry_out(plan, arguments.dry_run, json)? else {
        return Ok(Exit::Done);
    };
    if json {
        let sources: Vec<_> = written
            .index
            .sources
            .iter()
            .map(|source| &source.reference)
            .collect();
        print_json(&json!({
            "path": path,
            "sha256": written.sha256,
            "size_bytes": written.size_bytes,
            "sources": sources,
        }))?;
    } else {
        print_line(format_args!("{}  {}", written.sha256, path.display()))?;
        terminal.say(format!(
            "{} in {}; who loads it can make sure of its hash: `--sha256`",
            count(written.index.sources.len() as u64, "source"),
            HumanBytes(written.size_bytes)
        ));
    }
    Ok(Exit::Done)
}

fn load(arguments: &LoadBundleArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let json = arguments.facts.json;
    let plan = zoo.plan_load_bundle(&arguments.file, arguments.sha256)?;
    let Some(loaded) = carry_out(plan, arguments.dry_run, json)? else {
        return Ok(Exit::Done);
    };
    if json {
        print_json(&json!({ "sources": loaded.sources }))?;
    } else {
        loaded.sources.iter().try_for_each(print_line)?;
        let sources = count(loaded.sources.len() as u64, "source");
        terminal.say(format!("{sources} taken, to be used with --offline"));
    }
    Ok(Exit::Done)
}
