//! `modelzoo plugin check`: would this source work for its users?

mod folder;
mod model;
mod report;

use super::picture::pictures;
use crate::{
    arguments::{Global, JsonArgument, ModelOptions, PluginRunArguments},
    commands::{model::load_settings, zoo::open},
    exit::Exit,
    terminal::{Terminal, print_checks, print_json},
};
use clap::Args;
use modelzoo::{FoundModel, LoadSettings, Zoo, ZooError};
use modelzoo_sources::{
    SourceRef,
    manifest::ModelEntry,
    source::{ResolvedSource, SourceManifest},
};
use report::Report;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Args)]
pub struct CheckArguments {
    /// The source: a folder with manifest.json and Cargo.toml
    #[arg(default_value = ".")]
    folder: PathBuf,

    /// Check this model alone
    #[arg(short = 'n', long = "model-name", value_name = "NAME")]
    name: Option<String>,

    /// The picture to predict on (default: one that is made up)
    #[arg(short, long, value_name = "PICTURE")]
    input: Option<PathBuf>,

    #[command(flatten)]
    options: ModelOptions,

    #[command(flatten)]
    facts: JsonArgument,
}

pub fn run(arguments: &CheckArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    let mut report = Report::default();
    examine(&zoo, arguments, &mut report)?;
    if arguments.facts.json {
        print_json(&report.checks())?;
    } else {
        print_checks(report.checks())?;
    }
    Ok(report.exit())
}

/// Checks one thing after the other; what cannot be without the last one is left out.
fn examine(zoo: &Zoo, arguments: &CheckArguments, report: &mut Report) -> anyhow::Result<()> {
    let folder = &arguments.folder;
    let settings = load_settings(&arguments.options, &PluginRunArguments::default(), zoo)?;
    let picture = pictures(arguments.input.as_deref(), 1)?.remove(0);
    let Some(source) = folder::manifest(zoo, folder, report) else {
        return Ok(());
    };
    let models = models(&source, arguments.name.as_deref())?;
    folder::crate_manifest(folder, report);
    folder::lock_file(folder, report);
    if report.exit() != Exit::Done {
        return Ok(());
    }
    let Some(first) = models.first() else {
        return Ok(());
    };
    if build(zoo, first, &settings, report) {
        for found in &models {
            model::check(zoo, found, &settings, &picture, report);
        }
    }
    Ok(())
}

/// The models to check, each as if a user had named it.
fn models(source: &ResolvedSource, name: Option<&str>) -> anyhow::Result<Vec<FoundModel>> {
    let found = |(manifest, entry): (&SourceManifest, &ModelEntry)| FoundModel {
        source: source.clone(),
        manifest: manifest.clone(),
        entry: entry.clone(),
    };
    Ok(match name {
        Some(name) => vec![found(source.select(Some(name)).map_err(ZooError::from)?)],
        None => source.models().map(found).collect(),
    })
}

fn build(zoo: &Zoo, model: &FoundModel, settings: &LoadSettings, report: &mut Report) -> bool {
    match zoo.plugin(model, settings) {
        Ok(artifact) => {
            let size = fs_err::metadata(&artifact.path).map_or(0, |metadata| metadata.len());
            report.good("build", format!("a library of {}", indicatif::HumanBytes(size)));
            true
        }
        Err(error) => {
            report.error("build", error, "mend what the compiler complains of");
            false
        }
    }
}

/// The source in a folder, as if a user had named it.
fn source_in(zoo: &Zoo, folder: &Path) -> anyhow::Result<ResolvedSource> {
    Ok(zoo.find_source(&SourceRef::from_path(folder))?)
}
