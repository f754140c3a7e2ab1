//! `modelzoo list`: the models of a source.

use super::model;
use crate::{arguments::Global, exit::Exit, terminal::Terminal};
use clap::Args;
use serde::Serialize;

#[derive(Clone, Debug, Args)]
pub struct ListArguments {
    /// A source: user/repo[@ref], a Git or archive URL, a local folder
    source: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One model in the list.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    tags: Vec<String>,
    license: Option<String>,
    size_bytes: Option<u64>,
    description: Option<String>,
}

pub fn run(arguments: &ListArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = model::zoo(global, terminal)?;
    let source = zoo.find_source(&zoo.parse_reference(&arguments.source)?)?;
    let rows: Vec<Row> = source
        .models()
        .map(|(_, entry)| Row {
            name: entry.name(),
            tags: entry.tags.clone(),
            license: entry.license.clone(),
            size_bytes: entry.size_bytes,
            description: entry.description.clone(),
        })
        .collect();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(Exit::Done);
    }
    let width = |column: fn(&Row) -> usize| rows.iter().map(column).max().unwrap_or(0);
    let names = width(|row| row.name.len());
    let licenses = width(|row| row.license.as_ref().map_or(0, String::len));
    for row in &rows {
        let license = row.license.as_deref().unwrap_or_default();
        println!(
            "{:names$}  {license:licenses$}  {}",
            row.name,
            row.tags.join(", ")
        );
    }
    Ok(Exit::Done)
}
