//! What is compiled does not tell where: the same source gives the same plugin, byte for byte, wherever the store, the user's
//! home and the toolchain are.
//!
//! Compilers write the paths of source files into what they make, for the messages of panics. Here each place of a build
//! gets a name that is the same on all machines. Of the kinds of place there are, all but the toolchain's are the same for
//! all sources of a store, so that these go on sharing what they share.

use super::{dependencies::is_from_crates_io, profile, scratch::Scratch, sdk, toolchain::Toolchain};
use cargo_metadata::Metadata;
use modelzoo_base::Sha256Digest;
use std::path::{Path, PathBuf};

/// Where the copy of the source is that is built: the same place for all, which is built in by one at a time.
pub(super) fn source(builds: &Path) -> PathBuf {
    builds.join("built-source")
}

/// What cargo calls the folder of crates from crates.io; the second part comes of that registry's URL alone.
const CRATES_IO: &str = "index.crates.io-1949cf8c6b5b557f";

/// The places of a build, and their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// The more special ones come last.
    names: Vec<(PathBuf, String)>,
}

impl Places {
    /// Those of a build with `toolchain` in the folder `builds`, of a source whose crates `metadata` tells.
    pub(super) fn of(builds: &Path, scratch: &Scratch, toolchain: &Toolchain, metadata: &Metadata) -> Self {
        let registries = scratch.home().join("registry").join("src");
        let crates = "/crates".to_owned();
        let mut names = vec![
            (builds.to_owned(), "/build".to_owned()),
            (registries.clone(), "/registries".to_owned()),
            (registries.join(CRATES_IO), crates.clone()),
            (builds.join("crates"), crates.clone()),
            (scratch.home().join("git").join("checkouts"), "/git".to_owned()),
            (scratch.target(), "/target".to_owned()),
            (source(builds), "/source".to_owned()),
            (source(builds).join(sdk::LINK), "/sdk".to_owned()),
            // As cargo names it to the compiler.
            (PathBuf::from(sdk::LINK), "/sdk".to_owned()),
        ];
        // The user's settings may say that the crates of crates.io come from elsewhere.
        let from_crates_io = metadata.packages.iter().filter(|one| is_from_crates_io(one));
        let folders = from_crates_io.filter_map(|one| one.manifest_path.as_std_path().parent()?.parent());
        for folder in folders {
            let folder = match (folder.parent(), folder.file_name()) {
                (Some(above), Some(name)) if above.ends_with("registry/src") => registries.join(name),
                _ => folder.to_owned(),
            };
            if !names.iter().any(|(known, _)| *known == folder) {
                names.push((folder, crates.clone()));
            }
        }
        if let Some(commit) = toolchain.commit() {
            let library = toolchain
                .sysroot
                .join("lib")
                .join("rustlib")
                .join("src")
                .join("rust");
            names.push((library, format!("/rustc/{commit}")));
        }
        Self { names }
    }

    /// A name for all that is compiled in one way: with this toolchain, these flags and these places.
    pub(super) fn id(&self, toolchain: &Toolchain, is_portable: bool) -> String {
        let names = self
            .names
            .iter()
            .map(|(place, name)| format!("{}={name}", place.display()));
        let all = [toolchain.version.as_str(), profile::rustflags(is_portable)]
            .into_iter()
            .chain(profile::PROFILE)
            .map(str::to_owned)
            .chain(names);
        Sha256Digest::of(Vec::from_iter(all).join("\n")).to_string()[..16].to_owned()
    }

    /// The flags of all calls of the compiler, as cargo takes them. `shared` is where crates are compiled that several
    /// sources need.
    pub(super) fn flags(&self, is_portable: bool, shared: &Path) -> String {
        let own = (shared.to_owned(), "/target".to_owned());
        let renames = self.names.iter().chain([&own]).filter_map(|(place, name)| {
            // A path that is no text cannot be told; then what is compiled tells where.
            Some(format!("--remap-path-prefix={}={name}", place.to_str()?))
        });
        let flags = profile::rustflags(is_portable);
        let flags = Some(flags.to_owned()).filter(|flags| !flags.is_empty());
        let all = flags
            .into_iter()
            .chain(profile::LINKING.iter().map(|&flag| flag.to_owned()))
            .chain(renames);
        Vec::from_iter(all).join("\u{1f}")
    }
}
