//! The header of a safetensors file, as far as reading it as a map hides something.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use std::{
    collections::BTreeSet,
    fmt, fs,
    io::{self, Read},
    path::Path,
};

/// A name that the header of the file has more than once: which of its tensors is meant, nobody can tell.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn repeated_name(path: &Path) -> io::Result<Option<String>> {
    let mut file = fs::File::open(path)?;
    let mut length = [0; size_of::<u64>()];
    file.read_exact(&mut length)?;
    let mut header = Vec::new();
    file.take(u64::from_le_bytes(length)).read_to_end(&mut header)?;
    let names: Names = serde_json::from_slice(&header)?;
    Ok(names.repeated)
}

/// The keys of a map.
struct Names {
    repeated: Option<String>,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let (mut seen, mut repeated) = (BTreeSet::new(), None);
        while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
            if !seen.insert(name.clone()) {
                repeated.get_or_insert(name);
            }
        }
        Ok(Names { repeated })
    }
}
