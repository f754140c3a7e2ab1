//! `modelzoo plugin check`: would this source work for its users?

mod files;
mod manifest;
mod model;
mod report;
mod rules;

use super::picture::pictures;
use crate::{
    arguments::{CheckArguments, Global, PluginRunArguments},
    commands::{loading::load_settings, open::open},
    exit::Exit,
    terminal::{Hinted, Result, Terminal, print_checks, print_json, print_table},
};
use indicatif::HumanBytes;
use modelzoo::{
    ModelRef, PluginCode, SourceRef, Zoo, ZooError, diagnosis::ErrorClass, manifest::ModelEntry,
    source::ResolvedSource,
};
use report::Report;
use std::path::Path;

pub fn run(arguments: &CheckArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    if arguments.rules {
        return print_rules(arguments.facts.json);
    }
    let zoo = open(global, terminal)?;
    let mut report = Report::default();
    examine(&zoo, arguments, &mut report)?;
    if arguments.facts.json {
        print_json(report.findings())?;
    } else {
        print_checks(&report.checks())?;
    }
    Ok(report.exit())
}

fn print_rules(as_json: bool) -> Result<Exit> {
    if as_json {
        print_json(rules::ALL)?;
    } else {
        let row = |rule: &rules::Rule| [rule.id, rule.reason, rule.remedy].map(str::to_owned);
        let rows: Vec<_> = rules::ALL.iter().map(row).collect();
        print_table(["rule", "because", "where it is broken"], &rows)?;
    }
    Ok(Exit::Done)
}

/// Checks one thing after the other; what cannot be without the last one is left out.
fn examine(zoo: &Zoo, arguments: &CheckArguments, report: &mut Report) -> Result<()> {
    let folder = &arguments.folder;
    let settings = load_settings(&arguments.options, &PluginRunArguments::default())?;
    let picture = pictures(arguments.input.as_deref(), 1)?.remove(0);
    let Some(source) = manifest::check(zoo, folder, report) else {
        return Ok(());
    };
    let models = models(&source, arguments.name.as_deref())?;
    if let (Some(_), [_, _, ..]) = (&arguments.expect, models.as_slice()) {
        return Err(Hinted {
            message: format!(
                "the source has {} models, and --expect is about one",
                models.len()
            ),
            hint: "name it with -n".to_owned(),
            class: ErrorClass::Usage,
        }
        .into());
    }
    files::license_file(folder, report);
    files::crate_manifest(folder, report);
    files::lock_file(folder, report);
    if report.exit() != Exit::Done {
        return Ok(());
    }
    let Some((first, _)) = models.first() else {
        return Ok(());
    };
    let built = zoo.build(first, &settings);
    let Some(code) = report.value(&rules::BUILD, built) else {
        return Ok(());
    };
    report.good(&rules::BUILD, describe(&code));
    for (model, entry) in models {
        report.turn_to(entry.name());
        let of_manifest = || entry.expected.as_ref().map(|file| source.path.join(file));
        let expected = arguments.expect.clone().or_else(of_manifest);
        let expected = expected.as_deref();
        model::check(zoo, &model, entry, &settings, (&picture, expected), report);
    }
    Ok(())
}

/// The models to check, each as if a user had named it, with what the manifest says of them.
fn models<'a>(source: &'a ResolvedSource, name: Option<&str>) -> Result<Vec<(ModelRef, &'a ModelEntry)>> {
    let models: Vec<&ModelEntry> = match name {
        Some(name) => vec![source.select(Some(name)).map_err(ZooError::from)?.1],
        None => source.models().map(|(_, entry)| entry).collect(),
    };
    let named = |entry: &'a ModelEntry| {
        let model = ModelRef::in_source(source.reference.clone(), Some(&entry.name()));
        (model, entry)
    };
    Ok(models.into_iter().map(named).collect())
}

fn describe(code: &PluginCode) -> String {
    match code {
        PluginCode::Library(artifact) => {
            let size = fs_err::metadata(&artifact.path).map_or(0, |metadata| metadata.len());
            format!("a library of {}", HumanBytes(size))
        }
        PluginCode::BuiltIn(plugin) => format!("nothing to build: {plugin} is built in"),
    }
}

/// The source in a folder, as if a user had named it.
fn source_in(zoo: &Zoo, folder: &Path) -> Result<ResolvedSource> {
    Ok(zoo.find_source(&SourceRef::from_path(folder))?)
}
