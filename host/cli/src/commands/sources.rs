//! `modelzoo sources`: the sources that the zoo knows.

use super::{
    open::{open, open_to_plan},
    plan::carry_out,
};
use crate::{
    arguments::{
        Global, SourceArgument, SourceChangeArguments, SourcesAction, SourcesArguments, UpdateArguments,
    },
    exit::Exit,
    terminal::{Result, Terminal, print_facts, print_json, print_line, print_table},
};
use modelzoo::{
    Plan as _, Zoo,
    output::OutputError,
    registry::{FileChange, ModelChange, Update, ZooSource},
};

/// What to say instead of an empty table.
const NO_SOURCE: &str = "no source is registered; `modelzoo sources add SOURCE` registers one";

pub fn run(arguments: &SourcesArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    match &arguments.action {
        SourcesAction::Add(arguments) => add(arguments, global, terminal)?,
        SourcesAction::List(facts) => list(&open(global, terminal)?, facts.json, terminal)?,
        SourcesAction::Show(SourceArgument { source, facts }) => {
            let zoo = open(global, terminal)?;
            let known = zoo.registered_source(&zoo.parse_reference(source)?)?;
            show(&known, facts.json)?;
        }
        SourcesAction::Update(arguments) => update(arguments, global, terminal)?,
        SourcesAction::Remove(arguments) => remove(arguments, global, terminal)?,
    }
    Ok(Exit::Done)
}

fn add(arguments: &SourceChangeArguments, global: &Global, terminal: &Terminal) -> Result<()> {
    let SourceChangeArguments { source, dry_run } = arguments;
    let zoo = open_to_plan(*dry_run, global, terminal)?;
    let plan = zoo.plan_register(&zoo.parse_reference(&source.source)?, true)?;
    match carry_out(plan, *dry_run, source.facts.json)? {
        Some(known) => show(&known, source.facts.json),
        None => Ok(()),
    }
}

fn remove(arguments: &SourceChangeArguments, global: &Global, terminal: &Terminal) -> Result<()> {
    let SourceChangeArguments { source, dry_run } = arguments;
    let zoo = open_to_plan(*dry_run, global, terminal)?;
    let plan = zoo.plan_forget(&zoo.parse_reference(&source.source)?, false)?;
    match carry_out(plan, *dry_run, source.facts.json)? {
        Some(gone) if source.facts.json => print_json(&gone)?,
        Some(gone) => terminal.say(format!(
            "forgot {}; its files and weights stay in the store",
            gone.identity
        )),
        None => {}
    }
    Ok(())
}

/// `modelzoo update` is `modelzoo sources update`.
pub fn update_command(arguments: &UpdateArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    update(arguments, global, terminal)?;
    Ok(Exit::Done)
}

fn list(zoo: &Zoo, json: bool, terminal: &Terminal) -> Result<()> {
    let sources = zoo.registered_sources()?;
    if json {
        return print_json(&sources);
    }
    if sources.is_empty() {
        terminal.say(NO_SOURCE);
    }
    let row = |source: &ZooSource| {
        let commit = source
            .commit
            .as_ref()
            .map_or("", |commit| &commit.id[..commit.id.len().min(12)]);
        [
            source.identity.clone(),
            commit.to_owned(),
            source.models().count().to_string(),
        ]
    };
    let rows: Vec<_> = sources.iter().map(row).collect();
    Ok(print_table(["source", "commit", "models"], &rows)?)
}

fn show(source: &ZooSource, json: bool) -> Result<()> {
    if json {
        return print_json(source);
    }
    let models: Vec<_> = source.models().map(|(_, model)| model.name()).collect();
    Ok(print_facts(
        &source.identity,
        &[
            ("commit", source.commit.as_ref().map(|commit| commit.id.clone())),
            ("tree", source.tree_hash.as_ref().map(ToString::to_string)),
            ("models", Some(models.join(", "))),
        ],
    )?)
}

/// What is new is told in any case, and taken over unless that is all that is wanted.
fn update(arguments: &UpdateArguments, global: &Global, terminal: &Terminal) -> Result<()> {
    let zoo = open(global, terminal)?;
    let source = arguments.source.as_deref();
    let source = source.map(|source| zoo.parse_reference(source)).transpose()?;
    let plan = zoo.plan_update(source.as_ref())?;
    let updates = if arguments.dry_run {
        plan.updates().to_vec()
    } else {
        plan.execute()?
    };
    if arguments.facts.json {
        return print_json(&updates);
    }
    if updates.is_empty() {
        terminal.say(NO_SOURCE);
    }
    for update in &updates {
        print_update(update)?;
    }
    if arguments.dry_run {
        terminal.say("nothing was taken over: --dry-run");
    }
    Ok(())
}

fn print_update(update: &Update) -> Result<(), OutputError> {
    if !update.is_change {
        return print_line(format_args!("{}: nothing new", update.identity));
    }
    let short = |commit: &Option<String>| {
        commit
            .as_deref()
            .map_or("none".to_owned(), |id| id[..id.len().min(12)].to_owned())
    };
    print_line(format_args!(
        "{}: {} -> {}",
        update.identity,
        short(&update.old_commit),
        short(&update.new_commit)
    ))?;
    for model in &update.models {
        print_line(match model {
            ModelChange::Added { name } => format!("  + model {name}"),
            ModelChange::Removed { name } => format!("  - model {name}"),
            ModelChange::Changed { name, fields } => format!("  ~ model {name}: {}", fields.join(", ")),
        })?;
    }
    for file in update.files.iter().flatten() {
        print_line(match file {
            FileChange::Added { path } => format!("  + {path}"),
            FileChange::Removed { path } => format!("  - {path}"),
            FileChange::Changed { path } => format!("  ~ {path}"),
        })?;
    }
    Ok(())
}
