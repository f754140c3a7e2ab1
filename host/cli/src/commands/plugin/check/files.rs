//! The files of a source beside its manifest: the crate, its lock file, and the licence.

use super::{Report, rules};
use crate::commands::plugin::crate_manifest::{API_CRATE, ApiDependency, CrateManifest};
use modelzoo::plugin_api::{API_VERSION, abi::c::CONTRACT};
use semver::{Version, VersionReq};
use std::path::Path;
use walkdir::WalkDir;

/// The header of the contract for C, of which a plugin in C has a copy.
const HEADER: &str = "modelzoo.h";

/// How many folders deep it may lie.
const HEADER_DEPTH: usize = 4;

/// Names under which a licence's text lies in a repository, in capitals or not, with an ending or without.
const LICENSE_NAMES: [&str; 4] = ["license", "licence", "copying", "unlicense"];

/// Cargo.toml: the kind of library, and the interface that it is written against.
pub fn crate_manifest(folder: &Path, report: &mut Report) {
    let file = "Cargo.toml";
    if !folder.join(file).exists() {
        let detail = format!("there is no {file}, and so no plugin to build");
        return report.bad_with(
            &rules::CRATE,
            detail,
            "`modelzoo plugin new` writes a source with one",
        );
    }
    let Some(manifest) = report.value(&rules::CRATE, CrateManifest::read(folder)) else {
        return;
    };
    let crate_name = manifest.name.as_deref().unwrap_or("without a name");
    report.good(&rules::CRATE, format!("the crate {crate_name}"));
    if manifest.crate_types.iter().any(|kind| kind == "cdylib") {
        report.good(&rules::CRATE_TYPE, "cdylib");
    } else {
        report.bad(&rules::CRATE_TYPE, "the crate builds no dynamic library");
    }
    match (manifest.api, header_contract(folder)) {
        (None, Some(contract)) => c_contract(contract, report),
        (dependency, _) => api_version(dependency.as_ref(), report),
    }
}

/// The version of the contract for C in the source's copy of its header, where it has one.
fn header_contract(folder: &Path) -> Option<u32> {
    let header = WalkDir::new(folder)
        .max_depth(HEADER_DEPTH)
        .into_iter()
        .filter_entry(|entry| entry.file_name() != "target")
        .flatten()
        .find(|entry| entry.file_name() == HEADER)?;
    let text = fs_err::read_to_string(header.path()).ok()?;
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("#define MODELZOO_CONTRACT "))?;
    version.trim().trim_end_matches('u').parse().ok()
}

fn c_contract(needed: u32, report: &mut Report) {
    let rule = &rules::API_VERSION;
    let detail = format!("{HEADER} is of version {needed} of the contract");
    if needed == CONTRACT {
        report.good(rule, detail);
    } else {
        report.bad(rule, format!("{detail}, and this host knows version {CONTRACT}"));
    }
}

fn api_version(dependency: Option<&ApiDependency>, report: &mut Report) {
    let rule = &rules::API_VERSION;
    let needed = match dependency {
        None => {
            let remedy = format!(
                "put `{API_CRATE} = \"{API_VERSION}\"` under `[dependencies]` in Cargo.toml, or {HEADER} into the source of \
                 a plugin in C"
            );
            return report.bad_with(rule, format!("the crate does not depend on {API_CRATE}"), remedy);
        }
        Some(ApiDependency::Elsewhere(place)) => {
            let remedy = format!("depend on a version: `{API_CRATE} = \"{API_VERSION}\"`");
            let detail = format!("{API_CRATE} is taken from {place}, which users do not have");
            return report.bad_with(rule, detail, remedy);
        }
        Some(ApiDependency::Version(needed)) => needed,
    };
    match (VersionReq::parse(needed), Version::parse(API_VERSION)) {
        (Ok(requirement), Ok(own)) if requirement.matches(&own) => {
            report.good(
                rule,
                format!("{needed}, which this host's {API_VERSION} satisfies"),
            );
        }
        (Ok(_), _) => report.bad(
            rule,
            format!("the crate needs {API_CRATE} {needed}, and this host has {API_VERSION}"),
        ),
        (Err(error), _) => report.bad_with(
            rule,
            format!("{needed:?} is no version: {error}"),
            format!("`{API_CRATE} = \"{API_VERSION}\"`"),
        ),
    }
}

/// Cargo.lock: with it, every user builds the same plugin.
pub fn lock_file(folder: &Path, report: &mut Report) {
    if folder.join("Cargo.lock").is_file() {
        report.good(&rules::LOCK_FILE, "pins the crates that are built in");
    } else {
        report.warning(
            &rules::LOCK_FILE,
            "there is no Cargo.lock: users get whatever crates are newest",
        );
    }
}

/// The licence's text, in a file of its own.
pub fn license_file(folder: &Path, report: &mut Report) {
    let is_license = |name: &str| {
        let name = name.to_lowercase();
        LICENSE_NAMES.iter().any(|known| name.starts_with(known))
    };
    // A folder that cannot be read has been told of by now.
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let found = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .find(|name| is_license(name));
    match found {
        Some(name) => report.good(&rules::LICENSE_FILE, name),
        None => report.warning(&rules::LICENSE_FILE, "the source has no licence's text"),
    }
}
