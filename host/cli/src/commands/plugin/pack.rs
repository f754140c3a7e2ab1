//! `modelzoo plugin pack`: a source as one file that can be put on any web server.

use super::{crate_manifest::CrateManifest, shown};
use crate::{
    arguments::PackArguments,
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Failure, Hinted, Result, Terminal, print_facts, print_json},
};
use indicatif::HumanBytes;
use modelzoo::{
    Plan,
    archive::ArchiveFormat,
    diagnosis::ErrorClass,
    manifest::{MANIFEST_FILE, Manifest},
    source::{Packed, Packing},
};
use serde_json::json;
use std::path::{Path, PathBuf};

pub fn run(arguments: &PackArguments, terminal: &Terminal) -> Result<Exit> {
    let folder = &arguments.folder;
    // What cannot be used is not packed.
    Manifest::load(&folder.join(MANIFEST_FILE))?;
    let CrateManifest { name, version, .. } = CrateManifest::read(folder)?;
    let name = format!(
        "{}-{}",
        name.as_deref().unwrap_or("source"),
        version.as_deref().unwrap_or("0.0.0")
    );
    let archive = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.tar.gz")));
    check_name(&archive, &format!("{name}.tar.gz"))?;
    let packing = Packing::of(folder, &archive)?;
    let pack = Pack {
        packing: &packing,
        archive: &archive,
        name: &name,
    };
    let Some(packed) = carry_out(pack, arguments.dry_run, arguments.facts.json)? else {
        return Ok(Exit::Done);
    };
    if arguments.facts.json {
        print_json(&json!({
            "path": archive,
            "sha256": packed.sha256,
            "tree_hash": packed.tree_hash,
            "source_tree_hash": packing.tree_hash()?,
            "size_bytes": packed.size_bytes,
            "files": packing.paths().collect::<Vec<_>>(),
        }))?;
    } else {
        print_facts(
            &archive.display().to_string(),
            &[
                ("sha256", Some(packed.sha256.to_string())),
                // As the source is known by: the files that are packed, and these in the folder of the archive.
                ("tree", Some(packing.tree_hash()?.to_string())),
                ("tree in the archive", Some(packed.tree_hash.to_string())),
                ("files", Some(packing.paths().len().to_string())),
                ("size", Some(HumanBytes(packed.size_bytes).to_string())),
            ],
        )?;
    }
    terminal.say(format!("`modelzoo apply {} PICTURES` runs it", shown(&archive)));
    let is_pinned = packing.paths().any(|path| path == "Cargo.lock");
    if !is_pinned {
        terminal.warn("there is no Cargo.lock in it: its users build with whatever crates are newest");
    }
    Ok(Exit::Done)
}

/// Refuses a name by which nobody would know what is in the archive. `usual` is what it is called otherwise.
pub(super) fn check_name(archive: &Path, usual: &str) -> Result<()> {
    if ArchiveFormat::of_path(archive) == Some(ArchiveFormat::TarGz) {
        return Ok(());
    }
    Err(Hinted {
        message: format!(
            "{} does not end in .tar.gz or .tgz, by which its users know what it is",
            archive.display()
        ),
        hint: format!("without `-o` it is called {usual}"),
        class: ErrorClass::Failed,
    }
    .into())
}

/// An archive that is written.
struct Pack<'a> {
    packing: &'a Packing,
    archive: &'a Path,
    /// The folder in the archive.
    name: &'a str,
}

impl Plan for Pack<'_> {
    type Step = String;
    type Outcome = Packed;
    type Error = Failure;

    fn steps(&self) -> Result<Vec<String>> {
        let pack = self.packing.paths().map(|path| format!("pack {path}"));
        Ok(pack
            .chain([format!("write {}", self.archive.display())])
            .collect())
    }

    fn execute(self) -> Result<Packed> {
        Ok(self.packing.write(self.archive, self.name)?)
    }
}
