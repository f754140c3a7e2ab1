//! The legacy form: pickles of a magic number, a version, facts about the system, the tensors and the storages' keys,
//! then each storage: its number of elements in 8 bytes, and the elements.

use super::{Contents, MOST_PROGRAM_BYTES, Storages, machine};
use modelzoo_plugin_api::{Context, Error, Result};
use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
};

/// The first pickle of every such file, as the long integer that it is written as.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

pub(super) fn read(file: &mut File) -> Result<Contents> {
    let length = file.metadata()?.len();
    // All pickles lie before the numbers.
    let mut start = Vec::new();
    file.by_ref()
        .take(MOST_PROGRAM_BYTES.min(length))
        .read_to_end(&mut start)?;
    let mut rest = start.as_slice();
    let magic = machine::run(&mut rest).context("it does not begin as PyTorch's files do")?;
    if magic.long() != Some(&MAGIC) {
        return Err(Error::new("it does not begin as PyTorch's files do"));
    }
    for what in ["version", "facts about the system"] {
        machine::run(&mut rest).with_context(|| format!("its {what} cannot be read"))?;
    }
    let objects = machine::run(&mut rest)?;
    let keys = machine::run(&mut rest)
        .context("the list of its storages cannot be read")?
        .into_texts()?;
    let sizes: HashMap<String, u64> = objects.storage_elements();
    let mut place = (start.len() - rest.len()) as u64;
    let mut storages = Storages::new();
    for key in keys {
        let element = sizes
            .get(&key)
            .with_context(|| format!("no tensor uses its storage {key}"))?;
        let mut count = [0; 8];
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(&mut count)
            .with_context(|| format!("it ends before storage {key}"))?;
        let begin = place + count.len() as u64;
        let end = u64::from_le_bytes(count)
            .checked_mul(*element)
            .and_then(|bytes| bytes.checked_add(begin));
        let end = end
            .filter(|end| *end <= length)
            .with_context(|| format!("it ends within storage {key}"))?;
        storages.insert(key, begin..end);
        place = end;
    }
    let tensors = objects.into_tensors()?;
    Ok(Contents { tensors, storages })
}
