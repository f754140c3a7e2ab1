//! The ZIP form: `data.pkl`, and a file in `data/` for each storage, stored as they are.

use super::{Contents, MOST_PROGRAM_BYTES, Storages, machine};
use modelzoo_plugin_api::{Context, Error, Result};
use std::{fs::File, io::Read};
use zip::{CompressionMethod, ZipArchive};

/// The program's name, in the archive's only folder.
const PROGRAM: &str = "data.pkl";

pub(super) fn read(file: &mut File) -> Result<Contents> {
    let length = file.metadata()?.len();
    let mut archive = ZipArchive::new(file).context("its archive is damaged")?;
    let names: Vec<String> = archive
        .file_names()
        .map(|name| Ok(name?.into_owned()))
        .collect::<Result<_>>()?;
    let program = names
        .iter()
        .find(|name| *name == PROGRAM || name.ends_with(&format!("/{PROGRAM}")))
        .context("there is no `data.pkl` in it")?;
    let root = &program[..program.len() - PROGRAM.len()];
    if names.iter().any(|name| name.starts_with(&format!("{root}code/"))) {
        return Err(Error::new(
            "it is a TorchScript program, and no code of it is run",
        ));
    }
    if let Ok(mut order) = archive.by_name(&format!("{root}byteorder")) {
        let mut text = String::new();
        order.by_ref().take(16).read_to_string(&mut text)?;
        if text.trim() != "little" {
            return Err(Error::new(format!("its numbers are {text:?}-endian")));
        }
    }
    let storages = storages(&mut archive, root, length)?;
    let mut bytes = Vec::new();
    archive
        .by_name(program)?
        .take(MOST_PROGRAM_BYTES + 1)
        .read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let tensors = machine::run(&mut rest)?.into_tensors()?;
    Ok(Contents { tensors, storages })
}

/// Where the archive, of so many bytes, has each storage, by its key.
fn storages(archive: &mut ZipArchive<&mut File>, root: &str, length: u64) -> Result<Storages> {
    let folder = format!("{root}data/");
    let mut storages = Storages::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        let name = entry.name()?.into_owned();
        let Some(key) = name.strip_prefix(&folder) else {
            continue;
        };
        if entry.compression() != CompressionMethod::Stored {
            return Err(Error::new(format!("its storage {key} is compressed")));
        }
        let start = entry
            .data_start()
            .context("a storage's place in the archive is unknown")?;
        let end = start.checked_add(entry.size()).filter(|end| *end <= length);
        let end = end.with_context(|| format!("it ends within storage {key}"))?;
        storages.insert(key.to_owned(), start..end);
    }
    Ok(storages)
}
