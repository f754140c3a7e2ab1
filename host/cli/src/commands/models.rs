//! Commands on the weights of single models: `find`, `download`, `delete`.

use super::{plan::Plan, zoo::open};
use crate::{
    arguments::{DryRunArgument, Global, JsonArgument, ModelChoice, ModelOptions},
    exit::Exit,
    terminal::{Terminal, print_json, print_line},
};
use clap::Args;
use modelzoo::{FoundModel, LoadSettings, Zoo};

#[derive(Clone, Debug, Args)]
pub struct ModelArgument {
    #[command(flatten)]
    choice: ModelChoice,

    #[command(flatten)]
    facts: JsonArgument,
}

#[derive(Clone, Debug, Args)]
pub struct ChangeArguments {
    #[command(flatten)]
    model: ModelArgument,

    #[command(flatten)]
    dry_run: DryRunArgument,
}

impl ModelArgument {
    /// Whether to print JSON.
    pub fn json(&self) -> bool {
        self.facts.json
    }

    /// The model that the user named.
    pub fn find(&self, zoo: &Zoo) -> anyhow::Result<FoundModel> {
        Ok(zoo.find_model(&self.choice.model, self.choice.name.as_deref())?)
    }
}

/// `modelzoo find`: where the weights of a model are.
pub fn find(arguments: &ModelArgument, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    let path = zoo.find_weights(&arguments.find(&zoo)?)?;
    if arguments.facts.json {
        print_json(&serde_json::json!({ "path": path }))?;
    } else {
        print_line(path.display())?;
    }
    Ok(Exit::Done)
}

/// `modelzoo download`: builds a model's plugin and gets its weights, ready for use without network.
pub fn download(arguments: &ChangeArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let json = arguments.model.json();
    if arguments.dry_run.dry_run {
        let plan = Plan::of_model(
            &arguments.model.choice,
            &ModelOptions::default(),
            global,
            terminal,
        )?;
        plan.print(json)?;
        return Ok(Exit::Done);
    }
    let zoo = open(global, terminal)?;
    let model = arguments.model.find(&zoo)?;
    let prepared = zoo.download_model(&model, &LoadSettings::default(), false)?;
    if json {
        print_json(&serde_json::json!({ "path": prepared.weights, "provenance": prepared.provenance }))?;
    } else {
        print_line(prepared.weights.display())?;
    }
    Ok(Exit::Done)
}

/// `modelzoo delete`: removes a model's weights; the source's code stays.
pub fn delete(arguments: &ChangeArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let json = arguments.model.json();
    let zoo = open(global, terminal)?;
    let model = arguments.model.find(&zoo)?;
    if arguments.dry_run.dry_run {
        // Weights that the source carries are not among them.
        let folder = zoo
            .settings()
            .store
            .model_dir(&model.source.identity, &model.entry.name());
        let plan = if folder.exists() {
            Plan::default().and(format!("delete {}", folder.display()))
        } else {
            Plan::default()
        };
        plan.print(json)?;
        return Ok(Exit::Done);
    }
    let was_there = zoo.delete_weights(&model)?;
    if json {
        print_json(&serde_json::json!({ "deleted": was_there }))?;
    } else {
        let verb = if was_there {
            "deleted the weights of"
        } else {
            "there were no weights of"
        };
        terminal.say(format!("{verb} {}", model.entry.name()));
    }
    Ok(Exit::Done)
}
