//! `modelzoo plugin check`: would this source work for its users?

mod folder;
mod model;
mod report;

use super::picture::pictures;
use crate::{
    arguments::{CheckArguments, Global, PluginRunArguments},
    commands::{loading::load_settings, open::open},
    exit::Exit,
    terminal::{Result, Terminal, print_checks, print_json},
};
use modelzoo::{
    LoadSettings, ModelRef, PluginCode, SourceRef, Zoo, ZooError, manifest::ModelEntry,
    source::ResolvedSource,
};
use report::Report;
use std::path::Path;

pub fn run(arguments: &CheckArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
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
fn examine(zoo: &Zoo, arguments: &CheckArguments, report: &mut Report) -> Result<()> {
    let folder = &arguments.folder;
    let settings = load_settings(&arguments.options, &PluginRunArguments::default())?;
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
    let Some((first, _)) = models.first() else {
        return Ok(());
    };
    if build(zoo, first, &settings, report) {
        for (model, name) in models {
            model::check(zoo, &model, name, &settings, &picture, report);
        }
    }
    Ok(())
}

/// The models to check, each as if a user had named it, with their names.
fn models(source: &ResolvedSource, name: Option<&str>) -> Result<Vec<(ModelRef, String)>> {
    let models: Vec<&ModelEntry> = match name {
        Some(name) => vec![source.select(Some(name)).map_err(ZooError::from)?.1],
        None => source.models().map(|(_, entry)| entry).collect(),
    };
    let named = |entry: &ModelEntry| {
        let name = entry.name();
        (ModelRef::in_source(source.reference.clone(), Some(&name)), name)
    };
    Ok(models.into_iter().map(named).collect())
}

fn build(zoo: &Zoo, model: &ModelRef, settings: &LoadSettings, report: &mut Report) -> bool {
    match zoo.build(model, settings) {
        Ok(PluginCode::Library(artifact)) => {
            let size = fs_err::metadata(&artifact.path).map_or(0, |metadata| metadata.len());
            report.good("build", format!("a library of {}", indicatif::HumanBytes(size)));
            true
        }
        Ok(PluginCode::BuiltIn(plugin)) => {
            report.good("build", format!("nothing to build: {plugin} is built in"));
            true
        }
        Err(error) => {
            report.error("build", error, "mend what the compiler complains of");
            false
        }
    }
}

/// The source in a folder, as if a user had named it.
fn source_in(zoo: &Zoo, folder: &Path) -> Result<ResolvedSource> {
    Ok(zoo.find_source(&SourceRef::from_path(folder))?)
}
