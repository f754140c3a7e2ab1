//! `modelzoo list`: the models of a source, or of all sources that are known.

use super::open::open;
use crate::{
    arguments::{Global, ListArguments},
    exit::Exit,
    terminal::{Result, Terminal, print_json, print_line, print_table},
};
use modelzoo::{
    Zoo,
    index::{self, IndexedModel},
    manifest::{ModelEntry, is_any_license},
    registry::ModelFilter,
};
use serde::Serialize;

/// One model in the list.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    tags: Vec<String>,
    license: Option<String>,
    source: String,
    size_bytes: Option<u64>,
    description: Option<String>,
    downloaded: Option<bool>,
}

pub fn run(arguments: &ListArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let mut rows = match &arguments.source {
        Some(source) => of_source(&zoo, source, arguments)?,
        None => of_all(&zoo, arguments, terminal)?,
    };
    if arguments.available {
        rows.extend(available(arguments));
    }
    if arguments.json {
        print_json(&rows)?;
    } else if arguments.names_only {
        rows.iter().try_for_each(|row| print_line(&row.name))?;
    } else {
        let cells = |row: &Row| {
            let downloaded = if row.downloaded == Some(true) { "yes" } else { "" };
            let license = row.license.clone().unwrap_or_default();
            [
                row.name.clone(),
                row.tags.join(", "),
                license,
                downloaded.to_owned(),
                row.source.clone(),
            ]
        };
        let rows: Vec<_> = rows.iter().map(cells).collect();
        if rows.is_empty() {
            terminal.say(nothing(arguments));
        }
        print_table(["name", "tags", "license", "downloaded", "source"], &rows)?;
    }
    Ok(Exit::Done)
}

/// What to say instead of an empty table.
fn nothing(arguments: &ListArguments) -> &'static str {
    let is_filtered = arguments.downloaded || !arguments.tags.is_empty() || !arguments.license.is_empty();
    if is_filtered || arguments.source.is_some() {
        "no such model"
    } else {
        "no model is known; `modelzoo search WORDS` finds published ones, `modelzoo sources add SOURCE` registers a source"
    }
}

fn of_source(zoo: &Zoo, source: &str, arguments: &ListArguments) -> Result<Vec<Row>> {
    let source = zoo.find_source(&zoo.parse_reference(source)?)?;
    let wanted =
        |entry: &ModelEntry| entry.has_tags(&arguments.tags) && entry.has_any_license(&arguments.license);
    let models = source.models().filter(|(_, entry)| wanted(entry));
    Ok(models
        .map(|(_, entry)| row(entry, &source.identity, None))
        .collect())
}

fn of_all(zoo: &Zoo, arguments: &ListArguments, terminal: &Terminal) -> Result<Vec<Row>> {
    let catalog = zoo.catalog()?;
    catalog
        .problems()
        .iter()
        .for_each(|problem| terminal.warn(problem));
    let store = zoo.store();
    let filter = ModelFilter {
        tags: arguments.tags.clone(),
        licenses: arguments.license.clone(),
        source: None,
        downloaded_in: arguments.downloaded.then_some(store),
    };
    let models = catalog.list(&filter);
    Ok(models
        .iter()
        .map(|model| {
            row(
                model.entry(),
                &model.source().identity,
                Some(model.is_downloaded(store)),
            )
        })
        .collect())
}

/// The published models that are known to run here, as far as they fit.
fn available(arguments: &ListArguments) -> impl Iterator<Item = Row> {
    let wanted = |model: &&IndexedModel| {
        arguments.tags.iter().all(|tag| *tag == model.task)
            && is_any_license([model.license.as_str()], &arguments.license)
    };
    index::models().iter().filter(wanted).map(|model| Row {
        name: model.name.clone(),
        tags: vec![model.task.clone()],
        license: Some(model.license.clone()),
        source: model.reference(),
        size_bytes: Some(model.size_bytes()),
        description: Some(model.description.clone()),
        downloaded: None,
    })
}

fn row(entry: &ModelEntry, source: &str, downloaded: Option<bool>) -> Row {
    Row {
        name: entry.name(),
        tags: entry.tags.clone(),
        license: entry.license.clone(),
        source: source.to_owned(),
        size_bytes: entry.size_bytes,
        description: entry.description.clone(),
        downloaded,
    }
}
