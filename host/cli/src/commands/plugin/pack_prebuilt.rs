//! `modelzoo plugin pack --prebuilt`: a compiled plugin as one file for the release of a tag.

use super::pack::check_name;
use crate::{
    arguments::{Global, PackArguments},
    commands::{open::open, plan::carry_out},
    exit::Exit,
    terminal::{Failure, Result, Terminal, print_facts, print_json},
};
use indicatif::HumanBytes;
use modelzoo::{
    LoadSettings, PackedPlugin, Plan, Release, TARGET, Zoo,
    manifest::{MANIFEST_FILE, Manifest},
};
use serde_json::json;
use std::path::PathBuf;

pub fn run(arguments: &PackArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let variant = arguments.variant.as_str();
    // What cannot be used is not packed.
    Manifest::load(&arguments.folder.join(MANIFEST_FILE))?;
    if let Some(archive) = &arguments.output {
        check_name(archive, &format!("NAME-{TARGET}-{variant}.tar.gz"))?;
    }
    let zoo = open(global, terminal)?;
    let pack = Pack { arguments, zoo: &zoo };
    let Some((release, archive, packed)) = carry_out(pack, arguments.dry_run, arguments.facts.json)? else {
        return Ok(Exit::Done);
    };
    let build = json!({
        "target": TARGET,
        "variant": variant,
        "sha256": packed.sha256,
        "size_bytes": packed.size_bytes,
    });
    if arguments.facts.json {
        print_json(&json!({ "path": archive, "commit": release.commit(), "build": build }))?;
    } else {
        print_facts(
            &archive.display().to_string(),
            &[
                ("sha256", Some(packed.sha256.to_string())),
                ("target", Some(TARGET.to_owned())),
                ("variant", Some(variant.to_owned())),
                ("commit", release.commit().map(str::to_owned)),
                ("size", Some(HumanBytes(packed.size_bytes).to_string())),
            ],
        )?;
    }
    if release.commit().is_none() {
        terminal.warn(
            "the folder differs from what is committed: a signature of the archive is worth nothing to its users",
        );
    }
    let name = release.file_name();
    terminal.say(format!(
        "put it into the release of the tag as {name}; users take it where manifest.json has {build} in \
         `artifacts.builds`, or the key in `artifacts.key` by which {name}.minisig beside it is signed"
    ));
    Ok(Exit::Done)
}

/// A plugin that is compiled and packed.
struct Pack<'a> {
    arguments: &'a PackArguments,
    zoo: &'a Zoo,
}

impl Plan for Pack<'_> {
    type Step = String;
    type Outcome = (Release, PathBuf, PackedPlugin);
    type Error = Failure;

    fn steps(&self) -> Result<Vec<String>> {
        let output = self.arguments.output.as_ref();
        let archive = output.map_or_else(
            || format!("NAME-{TARGET}-{}.tar.gz", self.arguments.variant),
            |archive| archive.display().to_string(),
        );
        Ok(vec![
            format!("build {}", self.arguments.folder.display()),
            format!("write {archive}"),
        ])
    }

    fn execute(self) -> Result<Self::Outcome> {
        let Self { arguments, zoo } = self;
        let settings = LoadSettings::default();
        let release = zoo.build_release(&arguments.folder, &arguments.variant, &settings)?;
        let archive = arguments
            .output
            .clone()
            .unwrap_or_else(|| PathBuf::from(release.file_name()));
        let packed = release.pack(&archive)?;
        Ok((release, archive, packed))
    }
}
