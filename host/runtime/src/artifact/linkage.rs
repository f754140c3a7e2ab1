//! What a built library shows to a loader, and what it wants from it.

use super::ArtifactError;
use fs_err as fs;
use goblin::{
    elf::Elf,
    mach::{Mach, MachO},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The beginnings of the names of libraries that plugins are known to need: the system's own, and those of graphics cards.
const KNOWN: [&str; 22] = [
    "/System/Library/",
    "/usr/lib/",
    "ld-linux",
    "ld-musl",
    "libblas",
    "libc++",
    "libc.",
    "libcublas",
    "libcuda",
    "libcudnn",
    "libcurand",
    "libdl.",
    "libgcc_s.",
    "libgomp.",
    "libiomp5.",
    "libm.",
    "libmkl_",
    "libnccl.",
    "libnvrtc",
    "libpthread.",
    "librt.",
    "libstdc++.",
];

/// What a library shows to a loader, and what it wants from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linkage {
    /// The names by which others can call into it, sorted.
    pub exports: Vec<String>,
    /// The libraries that are loaded with it.
    pub needs: Vec<String>,
    /// The folders in which it lets the loader look for these.
    pub run_paths: Vec<String>,
}

impl Linkage {
    /// Reads it from a library. What is no library of a known format shows nothing: it cannot be opened, either.
    pub(crate) fn of(library: &Path) -> Result<Self, ArtifactError> {
        let bytes = fs::read(library).map_err(ArtifactError::file("read", library))?;
        let mut linkage = match (Elf::parse(&bytes), Mach::parse(&bytes)) {
            (Ok(library), _) => Self::of_elf(&library),
            (_, Ok(Mach::Binary(library))) => Self::of_mach(&library),
            _ => Self::default(),
        };
        linkage.exports.sort();
        Ok(linkage)
    }

    fn of_elf(elf: &Elf<'_>) -> Self {
        let exported = elf
            .dynsyms
            .iter()
            .filter(|symbol| !symbol.is_import() && symbol.st_shndx != 0)
            .filter_map(|symbol| elf.dynstrtab.get_at(symbol.st_name));
        Self {
            exports: exported.map(str::to_owned).collect(),
            needs: texts(&elf.libraries),
            run_paths: texts(elf.rpaths.iter().chain(&elf.runpaths)),
        }
    }

    fn of_mach(library: &MachO<'_>) -> Self {
        let exported = library.exports().unwrap_or_default().into_iter();
        Self {
            exports: exported.map(|export| export.name).collect(),
            // The first one is itself.
            needs: texts(library.libs.iter().skip(1)),
            run_paths: texts(&library.rpaths),
        }
    }

    /// The libraries that it needs and that plugins are not known to need.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let is_known = |name: &str| KNOWN.iter().any(|known| name.starts_with(known));
        self.needs
            .iter()
            .map(String::as_str)
            .filter(move |name| !is_known(name))
    }
}

fn texts<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> Vec<String> {
    names.into_iter().map(|name| (*name).to_owned()).collect()
}
