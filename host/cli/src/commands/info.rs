//! `modelzoo info`: what is known of a model, without running any of its code unless that is asked for.

use super::{
    abilities::describe,
    loading::load_settings,
    open::{named, open},
};
use crate::{
    arguments::{Global, InfoArguments},
    exit::Exit,
    terminal::{Result, Terminal, print_facts, print_json},
};
use modelzoo::{
    ArtifactRecord, FoundModel, Linkage, Model, ModelInfo, Plan as _, PrebuiltRecord, SandboxReport,
    output::OutputError,
};
use serde::Serialize;

/// What is known of a model.
#[derive(Debug, Serialize)]
struct Info<'a> {
    name: String,
    source: &'a str,
    commit: Option<&'a str>,
    tree_hash: String,
    folder: String,
    has_plugin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    built_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    built: Option<BuiltInfo>,
    manifest: &'a modelzoo::manifest::ModelEntry,
    /// What it says of itself, where it was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<&'a ModelInfo>,
}

/// What is known of a plugin that is built.
#[derive(Debug, Serialize)]
struct BuiltInfo {
    sha256: String,
    #[serde(flatten)]
    linkage: Linkage,
    /// The layers of the sandbox that were around the build.
    sandbox: SandboxReport,
    /// Where it comes from, where its author compiled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    prebuilt: Option<PrebuiltRecord>,
}

pub fn run(arguments: &InfoArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let model = named(&arguments.model.choice, &zoo)?;
    let settings = load_settings(&arguments.options, &arguments.run)?;
    let found = zoo.find(&model)?;
    let loaded = match arguments.load {
        true => Some(zoo.plan_load(&model, &settings)?.execute()?),
        false => None,
    };
    let mut info = info(&found, zoo.built_plugin(&found, &settings));
    info.says = loaded.as_ref().map(Model::info);
    if arguments.model.facts.json {
        print_json(&info)?;
    } else {
        print(&info)?;
    }
    Ok(Exit::Done)
}

fn info(found: &FoundModel, built: Option<ArtifactRecord>) -> Info<'_> {
    Info {
        name: found.entry.name(),
        source: &found.source.identity,
        commit: found.source.commit.as_ref().map(|commit| commit.id.as_str()),
        tree_hash: found.source.tree_hash.to_string(),
        folder: found.manifest.folder.display().to_string(),
        has_plugin: found.manifest.has_plugin(),
        built_in: found.built_in_plugin().map(|plugin| plugin.to_string()),
        built: built.map(|record| BuiltInfo {
            sha256: record.sha256,
            linkage: record.linkage,
            sandbox: record.sandbox,
            prebuilt: record.prebuilt,
        }),
        manifest: &found.entry,
        says: None,
    }
}

/// Prints the facts that a person asks for; what is not known is left out.
fn print(info: &Info<'_>) -> Result<(), OutputError> {
    let manifest = info.manifest;
    let size = manifest
        .size_bytes
        .map(|bytes| indicatif::HumanBytes(bytes).to_string());
    let tags = Some(manifest.tags.join(", ")).filter(|tags| !tags.is_empty());
    let plugin = match &info.built_in {
        Some(plugin) => format!("built in: {plugin}"),
        None if info.has_plugin => "yes".to_owned(),
        None => "no: the source was written for Python".to_owned(),
    };
    let prebuilt = info.built.as_ref().and_then(|built| built.prebuilt.as_ref());
    print_facts(
        &info.name,
        &[
            ("description", manifest.description.clone()),
            ("author", manifest.author.clone()),
            ("license", manifest.license.clone()),
            ("tags", tags),
            ("weights", size),
            ("added", manifest.date_added.clone()),
            ("from", manifest.source.clone()),
            ("source", Some(info.source.to_owned())),
            ("commit", info.commit.map(str::to_owned)),
            ("tree", Some(info.tree_hash.clone())),
            ("plugin", Some(plugin)),
            ("says", info.says.map(describe)),
            (
                "built shut in",
                info.built
                    .as_ref()
                    .filter(|built| built.prebuilt.is_none())
                    .map(|built| built.sandbox.to_string()),
            ),
            ("prebuilt", prebuilt.map(|prebuilt| prebuilt.url.clone())),
            (
                "vouched for by",
                prebuilt.map(|prebuilt| prebuilt.vouched_by.to_string()),
            ),
            (
                "loaded with",
                info.built.as_ref().map(|built| needs(&built.linkage)),
            ),
            (
                "exports",
                info.built.as_ref().map(|built| exports(&built.linkage)),
            ),
        ],
    )
}

/// The libraries that a plugin is loaded with; those that plugins usually do without are marked.
fn needs(linkage: &Linkage) -> String {
    let unknown: Vec<&str> = linkage.unknown().collect();
    let names = linkage.needs.iter().map(|name| {
        if unknown.contains(&name.as_str()) {
            format!("{name} (unusual)")
        } else {
            name.clone()
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The names that a plugin exports, or how many, where they are many.
fn exports(linkage: &Linkage) -> String {
    const SHOWN: usize = 4;
    match linkage.exports.len() {
        many if many > SHOWN => format!("{many} names"),
        _ => linkage.exports.join(", "),
    }
}
