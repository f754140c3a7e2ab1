//! How two libraries differ that should be the same.

use super::ArtifactError;
use fs_err as fs;
use goblin::elf::{
    Elf,
    section_header::SHT_NOBITS,
    sym::{STT_FUNC, STT_OBJECT, Sym},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
};

/// What two libraries differ in. Where something has moved, what refers to it differs as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The sizes of the two files.
    pub size_bytes: [u64; 2],
    /// The parts of the files that differ. None where their format is not known.
    pub sections: Vec<SectionDifference>,
    /// Functions and data, by the names that compilers gave them.
    pub symbols: SymbolDifference,
}

/// A part of both libraries, or of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionDifference {
    /// Its name: `.text` has the instructions, `.rodata` constants, `.comment` what the compilers and the linker call
    /// themselves.
    pub name: String,
    /// Its sizes; `None` where it is not there.
    pub size_bytes: [Option<u64>; 2],
    /// How many bytes differ; `None` where the sizes do.
    pub changed_bytes: Option<u64>,
}

/// What differs of functions and data that have names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SymbolDifference {
    /// Those that both have, with other bytes.
    pub changed: Vec<String>,
    /// Those that only the first one has.
    pub only_first: Vec<String>,
    /// Those that only the second one has.
    pub only_second: Vec<String>,
}

/// What the bytes of a library are, by names. Several functions may have the same one.
type Parts<'a> = BTreeMap<&'a str, BTreeSet<&'a [u8]>>;

impl Difference {
    /// Compares two libraries; `None` where they are the same, byte for byte.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn of(first: &Path, second: &Path) -> Result<Option<Self>, ArtifactError> {
        let read = |path: &Path| fs::read(path).map_err(ArtifactError::file("read", path));
        let bytes = [read(first)?, read(second)?];
        Ok((bytes[0] != bytes[1]).then(|| Self::between(&bytes)))
    }

    fn between(bytes: &[Vec<u8>; 2]) -> Self {
        let size_bytes = bytes.each_ref().map(|bytes| bytes.len() as u64);
        let [Ok(first), Ok(second)] = bytes.each_ref().map(|bytes| Elf::parse(bytes)) else {
            return Self {
                size_bytes,
                ..Self::default()
            };
        };
        let sections = [sections(&first, &bytes[0]), sections(&second, &bytes[1])];
        let symbols = [symbols(&first, &bytes[0]), symbols(&second, &bytes[1])];
        Self {
            size_bytes,
            sections: compare_sections(&sections),
            symbols: compare_symbols(&symbols),
        }
    }
}

/// The sections of a library, by name. Of what takes no room in the file there are no bytes.
fn sections<'a>(library: &Elf<'a>, bytes: &'a [u8]) -> BTreeMap<&'a str, &'a [u8]> {
    let named = library.section_headers.iter().filter_map(|header| {
        let name = library.shdr_strtab.get_at(header.sh_name)?;
        let content = header.file_range().and_then(|range| bytes.get(range));
        Some((name, content.unwrap_or_default()))
    });
    named.filter(|(name, _)| !name.is_empty()).collect()
}

fn compare_sections([first, second]: &[BTreeMap<&str, &[u8]>; 2]) -> Vec<SectionDifference> {
    let names: BTreeSet<&&str> = first.keys().chain(second.keys()).collect();
    let differing = names
        .into_iter()
        .filter(|name| first.get(*name) != second.get(*name));
    let describe = |name: &&str| {
        let [a, b] = [first.get(name), second.get(name)];
        let changed = |(a, b): (&&[u8], &&[u8])| {
            (a.len() == b.len()).then(|| a.iter().zip(b.iter()).filter(|(a, b)| a != b).count() as u64)
        };
        SectionDifference {
            name: (*name).to_owned(),
            size_bytes: [a, b].map(|section| section.map(|section| section.len() as u64)),
            changed_bytes: a.zip(b).and_then(changed),
        }
    };
    differing.map(describe).collect()
}

/// The functions and data of a library that have names.
fn symbols<'a>(library: &Elf<'a>, bytes: &'a [u8]) -> Parts<'a> {
    let mut parts = Parts::new();
    let (local, dynamic) = (library.syms.iter(), library.dynsyms.iter());
    let local = local.filter_map(|symbol| Some((library.strtab.get_at(symbol.st_name)?, symbol)));
    let dynamic = dynamic.filter_map(|symbol| Some((library.dynstrtab.get_at(symbol.st_name)?, symbol)));
    for (name, symbol) in local.chain(dynamic) {
        let content = place(library, &symbol).and_then(|range| bytes.get(range));
        if let Some(content) = content.filter(|_| !name.is_empty()) {
            parts.entry(name).or_default().insert(content);
        }
    }
    parts
}

/// Where in the file a function or datum is.
fn place(library: &Elf<'_>, symbol: &Sym) -> Option<Range<usize>> {
    let is_one = matches!(symbol.st_type(), STT_FUNC | STT_OBJECT) && symbol.st_size > 0;
    let section = library.section_headers.get(symbol.st_shndx).filter(|_| is_one)?;
    if section.sh_type == SHT_NOBITS {
        return None;
    }
    let start = symbol
        .st_value
        .checked_sub(section.sh_addr)?
        .checked_add(section.sh_offset)?;
    let end = start.checked_add(symbol.st_size)?;
    Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

fn compare_symbols([first, second]: &[Parts<'_>; 2]) -> SymbolDifference {
    let named = |parts: &mut dyn Iterator<Item = &&str>| parts.map(|name| (*name).to_owned()).collect();
    SymbolDifference {
        changed: named(
            &mut first
                .iter()
                .filter(|(name, content)| second.get(*name).is_some_and(|other| other != *content))
                .map(|(name, _)| name),
        ),
        only_first: named(&mut first.keys().filter(|name| !second.contains_key(*name))),
        only_second: named(&mut second.keys().filter(|name| !first.contains_key(*name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_libraries_of_no_known_format_only_the_sizes_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        let (a, b, c) = (file("a", "same"), file("b", "same"), file("c", "other"));
        assert_eq!(Difference::of(&a, &b).unwrap(), None);
        let difference = Difference::of(&a, &c).unwrap().unwrap();
        assert_eq!(
            difference,
            Difference {
                size_bytes: [4, 5],
                ..Difference::default()
            }
        );
        assert!(Difference::of(&a, &folder.path().join("absent")).is_err());
    }

    #[test]
    fn sections_and_functions_are_told_apart_by_name() {
        // The program of this test has both.
        let path = std::env::current_exe().unwrap();
        let bytes = fs::read(path).unwrap();
        let Ok(program) = Elf::parse(&bytes) else {
            return;
        };
        let name = program
            .syms
            .iter()
            .filter(|symbol| symbol.st_size > 16 && symbol.st_type() == STT_FUNC)
            .find_map(|symbol| {
                let name = program.strtab.get_at(symbol.st_name)?;
                let range = place(&program, &symbol)?;
                // Which functions of this test are left of their own is for the compiler to decide.
                name.contains("modelzoo_runtime")
                    .then_some((name.to_owned(), range))
            });
        let (name, range) = name.unwrap();
        let mut changed = bytes.clone();
        changed[range.start] ^= 1;
        let difference = Difference::between(&[bytes.clone(), changed]);
        assert_eq!(difference.sections.len(), 1, "{:?}", difference.sections);
        assert_eq!(difference.sections[0].name, ".text");
        assert_eq!(difference.sections[0].changed_bytes, Some(1));
        assert!(
            difference.symbols.changed.contains(&name),
            "{:?}",
            difference.symbols
        );
        assert!(difference.symbols.only_first.is_empty() && difference.symbols.only_second.is_empty());
    }
}
