//! What can be seen of a source without running any of it.

use super::{Report, source_in};
use crate::commands::plugin::crate_manifest::{API_CRATE, ApiDependency, CrateManifest};
use modelzoo::{
    Zoo,
    manifest::{ModelEntry, duplicate_names},
    plugin_api::API_VERSION,
    source::ResolvedSource,
};
use semver::{Version, VersionReq};
use std::path::Path;

/// The manifest: that there is one, what it declares, and what users would miss in it.
pub fn manifest(zoo: &Zoo, folder: &Path, report: &mut Report) -> Option<ResolvedSource> {
    let name = "manifest.json";
    let source = match source_in(zoo, folder) {
        Ok(source) => source,
        Err(error) => {
            report.error(name, error, "correct the manifest");
            return None;
        }
    };
    let [own] = &source.manifests[..] else {
        report.bad(
            name,
            format!("there is none in {}, but some below it", folder.display()),
            "check the folders of the sources one by one",
        );
        return None;
    };
    if own.folder != source.path {
        report.bad(
            name,
            format!(
                "it is not in {} but in {}",
                folder.display(),
                own.folder.display()
            ),
            format!("check {}", own.folder.display()),
        );
        return None;
    }
    let models: Vec<&ModelEntry> = source.models().map(|(_, model)| model).collect();
    if models.is_empty() {
        report.bad(name, "it declares no model", "add one to `models`");
        return None;
    }
    let names: Vec<String> = models.iter().map(|model| model.name()).collect();
    report.good(name, format!("declares {}", names.join(", ")));
    let duplicates = Vec::from_iter(duplicate_names(models.iter().copied()));
    if !duplicates.is_empty() {
        report.bad(
            "model names",
            format!(
                "{} more than once; only the first one can be had",
                duplicates.join(", ")
            ),
            "give each model another `base_name` or `version`",
        );
    }
    let incomplete: Vec<String> = models.iter().filter_map(|model| missing_facts(model)).collect();
    if !incomplete.is_empty() {
        report.warning(
            "model facts",
            incomplete.join("; "),
            "`modelzoo list` and `modelzoo info` show them, and people choose models by them",
        );
    }
    Some(source)
}

/// What users choose a model by and the manifest does not tell.
fn missing_facts(model: &ModelEntry) -> Option<String> {
    let facts = [
        ("description", model.description.is_none()),
        ("license", model.license.is_none()),
        ("tags", model.tags.is_empty()),
    ];
    let missing: Vec<&str> = facts
        .iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(name, _)| *name)
        .collect();
    (!missing.is_empty()).then(|| format!("{} has no {}", model.name(), missing.join(", ")))
}

/// Cargo.toml: the kind of library, and the interface that it is written against.
pub fn crate_manifest(folder: &Path, report: &mut Report) {
    let name = "Cargo.toml";
    if !folder.join(name).exists() {
        report.bad(
            name,
            "there is none: there is no plugin to build",
            "`modelzoo plugin new` writes a source with one",
        );
        return;
    }
    let manifest = match CrateManifest::read(folder) {
        Ok(manifest) => manifest,
        Err(error) => return report.error(name, error, "correct the file"),
    };
    let crate_name = manifest.name.as_deref().unwrap_or("without a name");
    report.good(name, format!("the crate {crate_name}"));
    if manifest.crate_types.iter().any(|kind| kind == "cdylib") {
        report.good("crate type", "cdylib");
    } else {
        report.bad(
            "crate type",
            "the crate builds no dynamic library",
            "put `crate-type = [\"cdylib\"]` under `[lib]` in Cargo.toml",
        );
    }
    api_version(manifest.api.as_ref(), report);
}

fn api_version(dependency: Option<&ApiDependency>, report: &mut Report) {
    let name = "API version";
    let needed = match dependency {
        None => {
            let remedy =
                format!("put `{API_CRATE} = \"{API_VERSION}\"` under `[dependencies]` in Cargo.toml");
            return report.bad(name, format!("the crate does not depend on {API_CRATE}"), remedy);
        }
        Some(ApiDependency::Elsewhere(place)) => {
            let remedy = format!("depend on a version: `{API_CRATE} = \"{API_VERSION}\"`");
            return report.bad(
                name,
                format!("{API_CRATE} is taken from {place}, which users do not have"),
                remedy,
            );
        }
        Some(ApiDependency::Version(needed)) => needed,
    };
    match (VersionReq::parse(needed), Version::parse(API_VERSION)) {
        (Ok(requirement), Ok(own)) if requirement.matches(&own) => {
            report.good(
                name,
                format!("{needed}, which this host's {API_VERSION} satisfies"),
            );
        }
        (Ok(_), _) => report.bad(
            name,
            format!("the crate needs {API_CRATE} {needed}, and this host has {API_VERSION}"),
            "ask for a version that this host has, or update modelzoo",
        ),
        (Err(error), _) => report.bad(
            name,
            format!("{needed:?} is no version: {error}"),
            format!("`{API_CRATE} = \"{API_VERSION}\"`"),
        ),
    }
}

/// Cargo.lock: with it, every user builds the same plugin.
pub fn lock_file(folder: &Path, report: &mut Report) {
    let name = "Cargo.lock";
    if folder.join(name).is_file() {
        report.good(name, "pins the crates that are built in");
    } else {
        report.warning(
            name,
            "there is none: users get whatever crates are newest",
            "`cargo generate-lockfile` writes it; commit it",
        );
    }
}
