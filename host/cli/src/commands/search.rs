//! `modelzoo search`: published models that run here, for people who look for one.

use crate::{
    arguments::SearchArguments,
    exit::Exit,
    terminal::{Result, Terminal, print_json, print_table},
};
use modelzoo::{
    index::{self, IndexedModel, Speed},
    manifest::is_any_license,
};
use serde::Serialize;

/// What `--json` says of a model.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    model: &'a IndexedModel,
    speed: Option<Speed>,
}

pub fn run(arguments: &SearchArguments, terminal: &Terminal) -> Result<Exit> {
    let mut found = index::search(&arguments.words);
    found.retain(|model| is_any_license([model.license.as_str()], &arguments.license));
    if arguments.facts.json {
        let found: Vec<Found<'_>> = found
            .iter()
            .map(|&model| Found {
                model,
                speed: model.speed(),
            })
            .collect();
        print_json(&found)?;
    } else {
        let rows: Vec<_> = found.iter().map(|model| cells(model)).collect();
        print_table(
            ["model", "task", "license", "size", "speed", "description"],
            &rows,
        )?;
        terminal.say(match found.first() {
            Some(first) => format!("try it: {}", trial(first)),
            None => "no such model in the list; any repository of a known architecture runs, listed or not"
                .to_owned(),
        });
    }
    Ok(Exit::Done)
}

/// The command that shows what a model can do.
fn trial(model: &IndexedModel) -> String {
    let reference = model.reference();
    match model.task.as_str() {
        "image-feature-extraction" => format!("modelzoo embed {reference} PICTURES"),
        task if task.starts_with("zero-shot") => {
            format!("modelzoo apply {reference} PICTURES --set classes=cat,dog")
        }
        _ => format!("modelzoo apply {reference} PICTURES"),
    }
}

fn cells(model: &IndexedModel) -> [String; 6] {
    [
        model.reference(),
        model.task.clone(),
        model.license.clone(),
        indicatif::HumanBytes(model.size_bytes()).to_string(),
        model.speed().map_or("?", Speed::name).to_owned(),
        model.description.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_of_the_list_has_a_command_that_fits() {
        for model in index::models() {
            let command = trial(model);
            let is_for_embeddings = model.task == "image-feature-extraction";
            assert_eq!(command.contains(" embed "), is_for_embeddings, "{command}");
            assert_eq!(
                command.contains("classes="),
                model.task.starts_with("zero-shot"),
                "{command}"
            );
        }
    }
}
