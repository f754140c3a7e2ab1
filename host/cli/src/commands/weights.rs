//! Commands on the weights of single models: `find`, `download`, `delete`.

use super::{
    open::{named, open, open_to_plan},
    plan::carry_out,
};
use crate::{
    arguments::{Global, ModelChangeArguments, ModelQueryArguments},
    exit::Exit,
    terminal::{Result, Terminal, print_json, print_line},
};
use modelzoo::LoadSettings;
use serde_json::json;

/// `modelzoo find`: where the weights of a model are.
pub fn find(arguments: &ModelQueryArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let path = zoo.find_weights(&zoo.find(&named(&arguments.choice, &zoo)?)?)?;
    if arguments.facts.json {
        print_json(&json!({ "path": path }))?;
    } else {
        print_line(path.display())?;
    }
    Ok(Exit::Done)
}

/// `modelzoo download`: builds a model's plugin and gets its weights, ready for use without network.
pub fn download(arguments: &ModelChangeArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let (json, dry_run) = (arguments.model.facts.json, arguments.dry_run);
    let zoo = open_to_plan(dry_run, global, terminal)?;
    let model = named(&arguments.model.choice, &zoo)?;
    let plan = zoo.plan_download(&model, &LoadSettings::default(), false)?;
    match carry_out(plan, dry_run, json)? {
        Some(model) if json => print_json(&json!({ "path": model.weights, "provenance": model.provenance }))?,
        Some(model) => print_line(model.weights.display())?,
        None => {}
    }
    Ok(Exit::Done)
}

/// `modelzoo delete`: removes a model's weights; the source's code stays.
pub fn delete(arguments: &ModelChangeArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let (json, dry_run) = (arguments.model.facts.json, arguments.dry_run);
    let zoo = open_to_plan(dry_run, global, terminal)?;
    let plan = zoo.plan_delete(&named(&arguments.model.choice, &zoo)?)?;
    match carry_out(plan, dry_run, json)? {
        Some((_, was_there)) if json => print_json(&json!({ "deleted": was_there }))?,
        Some((name, true)) => terminal.say(format!("deleted the weights of {name}")),
        Some((name, false)) => terminal.say(format!("there were no weights of {name}")),
        None => {}
    }
    Ok(Exit::Done)
}
