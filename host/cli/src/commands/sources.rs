//! `modelzoo sources`: the sources that the zoo knows.

use super::{
    plan::Plan,
    zoo::{open, open_offline},
};
use crate::{
    arguments::{DryRunArgument, Global, JsonArgument},
    exit::Exit,
    terminal::{Terminal, count, print_facts, print_json, print_line, print_table},
};
use clap::{Args, Subcommand};
use modelzoo::{Zoo, ZooError};
use modelzoo_data::output::OutputError;
use modelzoo_sources::{
    SourceRef,
    source::SourceError,
    zoo::{FileChange, ModelChange, Update, ZooSource},
};

/// What to say instead of an empty table.
const NO_SOURCE: &str = "no source is registered; `modelzoo sources add SOURCE` registers one";

#[derive(Clone, Debug, Args)]
pub struct SourcesArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Register a source, so that its models are known by name
    Add(ChangeArguments),
    /// List the registered sources
    List(JsonArgument),
    /// Show what is known of a registered source
    Show(SourceArgument),
    /// Show what has changed in a source, and take it
    Update(UpdateArguments),
    /// Forget a source; its files and weights stay in the store
    Remove(ChangeArguments),
}

#[derive(Clone, Debug, Args)]
struct SourceArgument {
    /// A source: user/repo[@ref], a Git or archive URL, a local folder
    source: String,
    #[command(flatten)]
    facts: JsonArgument,
}

impl SourceArgument {
    fn reference(&self, zoo: &Zoo) -> Result<SourceRef, ZooError> {
        zoo.parse_reference(&self.source)
    }
}

#[derive(Clone, Debug, Args)]
struct ChangeArguments {
    #[command(flatten)]
    source: SourceArgument,
    #[command(flatten)]
    dry_run: DryRunArgument,
}

#[derive(Clone, Debug, Args)]
pub struct UpdateArguments {
    /// The source (default: all of them)
    source: Option<String>,
    /// Only show what would change; the new commits are fetched for that
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    facts: JsonArgument,
}

pub fn run(arguments: &SourcesArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    match &arguments.action {
        Action::Add(arguments) => add(&zoo, arguments, global, terminal)?,
        Action::List(facts) => list(&zoo, facts.json, terminal)?,
        Action::Show(arguments) => {
            let known = zoo.registry().find(&arguments.reference(&zoo)?)?;
            show(&known, arguments.facts.json)?;
        }
        Action::Update(arguments) => update(&zoo, arguments, terminal)?,
        Action::Remove(arguments) => remove(&zoo, arguments, terminal)?,
    }
    Ok(Exit::Done)
}

fn add(zoo: &Zoo, arguments: &ChangeArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<()> {
    let reference = arguments.source.reference(zoo)?;
    let json = arguments.source.facts.json;
    if arguments.dry_run.dry_run {
        return plan_to_add(&reference, global, terminal)?.print(json);
    }
    let known = zoo.register_source(&reference, true)?;
    show(&known, json)
}

fn plan_to_add(reference: &SourceRef, global: &Global, terminal: &Terminal) -> anyhow::Result<Plan> {
    match open_offline(global, terminal)?.find_source(reference) {
        Ok(source) => Ok(Plan::default().and(format!(
            "register {} with {}",
            source.identity,
            count(source.models().count() as u64, "model")
        ))),
        Err(ZooError::Source(SourceError::Offline { reference })) if !global.offline => {
            Ok(Plan::default().and(format!("fetch {reference} and register it")))
        }
        Err(error) => Err(error.into()),
    }
}

fn remove(zoo: &Zoo, arguments: &ChangeArguments, terminal: &Terminal) -> anyhow::Result<()> {
    let reference = arguments.source.reference(zoo)?;
    let json = arguments.source.facts.json;
    if arguments.dry_run.dry_run {
        let known = zoo.registry().find(&reference)?;
        let plan = Plan::default().and(format!("forget {}", known.identity));
        return plan.print(json);
    }
    let gone = zoo.forget_source(&reference, false)?;
    if json {
        return print_json(&gone);
    }
    terminal.say(format!(
        "forgot {}; its files and weights stay in the store",
        gone.identity
    ));
    Ok(())
}

/// `modelzoo update` is `modelzoo sources update`.
pub fn update_command(
    arguments: &UpdateArguments,
    global: &Global,
    terminal: &Terminal,
) -> anyhow::Result<Exit> {
    update(&open(global, terminal)?, arguments, terminal)?;
    Ok(Exit::Done)
}

fn list(zoo: &Zoo, json: bool, terminal: &Terminal) -> anyhow::Result<()> {
    let sources = zoo.registry().sources()?;
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

fn show(source: &ZooSource, json: bool) -> anyhow::Result<()> {
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

fn update(zoo: &Zoo, arguments: &UpdateArguments, terminal: &Terminal) -> anyhow::Result<()> {
    let registry = zoo.registry();
    let sources = match &arguments.source {
        Some(source) => vec![registry.find(&zoo.parse_reference(source)?)?],
        None => registry.sources()?,
    };
    let mut updates = Vec::new();
    for old in sources {
        let new = zoo.update_source(&old.reference)?;
        let update = Update::between(&old, &new, &zoo.settings().store)?;
        if update.is_change && !arguments.dry_run {
            registry.register(&new)?;
        }
        updates.push(update);
    }
    if !arguments.dry_run {
        zoo.save_lock()?;
    }
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
