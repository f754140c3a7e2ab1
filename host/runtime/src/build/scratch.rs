//! What one build has to itself: a home for cargo, and a folder for temporary files.
//!
//! Cargo locks, notes and configures in its home, which the user's is not there for: the code of a build could leave
//! settings in it for the next one. This one has the crates that were fetched, by a link, and from the user's settings
//! where crates come from; nothing else of them takes part. It always lies in the same place, which cargo remembers with
//! what it compiled.

use super::BuildError;
use fs_err as fs;
use modelzoo_base::file;
use std::{
    env, io,
    path::{Path, PathBuf},
};
use toml_edit::{DocumentMut, Item};

/// What of cargo's home holds crates of registries, and those from Git.
const CRATES: [&str; 2] = ["registry", "git"];

/// What libgit2 reads before it opens a repository; where it is there, it must be readable.
const GIT_SETTINGS: &str = "/etc/gitconfig";

/// A private folder of the build that has the lock. It is deleted with this value.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    /// Folders with crates that were fetched.
    crates: Vec<PathBuf>,
}

impl Scratch {
    /// Makes it in the folder of all builds, in the place of one that a killed build left. `has_git` says whether there are
    /// crates from Git.
    pub(super) fn new(builds: &Path, has_git: bool) -> Result<Self, BuildError> {
        let folder = builds.join("scratch");
        let mut scratch = Self {
            folder: folder.clone(),
            crates: Vec::new(),
        };
        scratch
            .fill(has_git)
            .map_err(BuildError::file("prepare", &folder))?;
        Ok(scratch)
    }

    fn fill(&mut self, has_git: bool) -> io::Result<()> {
        remove(&self.folder)?;
        fs::create_dir_all(self.temporary())?;
        fs::create_dir_all(self.home())?;
        let Some(users) = users_home() else {
            return Ok(());
        };
        if has_git {
            self.crates.push(PathBuf::from(GIT_SETTINGS));
        }
        for name in CRATES.into_iter().take(if has_git { 2 } else { 1 }) {
            // A link of the user's may lead to a larger disk.
            if let Ok(folder) = fs::canonicalize(users.join(name)) {
                link(&folder, &self.home().join(name))?;
                self.crates.push(folder);
            }
        }
        let text = ["config.toml", "config"]
            .iter()
            .find_map(|name| fs::read_to_string(users.join(name)).ok());
        let Some(settings) = text.and_then(|text| text.parse::<DocumentMut>().ok()) else {
            return Ok(());
        };
        let (settings, folders) = origins(&settings, users.parent().unwrap_or(&users));
        self.crates.extend(folders);
        file::write(&self.home().join("config.toml"), settings.to_string())
    }

    /// The folder, all of which the build may write to.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Cargo's home in it.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("cargo")
    }

    /// Where temporary files go.
    pub(super) fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// Leads to the folder that a source is compiled to, so that build scripts write to the same place for all of them.
    pub(super) fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// Makes it lead to `target`.
    pub(super) fn lead_to(&self, target: &Path) -> io::Result<()> {
        link(target, &self.target())
    }

    /// The folders with crates that were fetched.
    pub(super) fn crates(&self) -> &[PathBuf] {
        &self.crates
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is deleted by the next build.
        let removed = remove(&self.folder);
        tracing::trace!(?removed, "the build's own folder");
    }
}

/// Where the user's cargo keeps what it fetched.
pub(super) fn users_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .filter(|home| home.is_absolute())
}

/// Where the settings of cargo say that crates come from, without any secret; and the folders that they name, which are
/// told from `base`.
fn origins(settings: &DocumentMut, base: &Path) -> (DocumentMut, Vec<PathBuf>) {
    let (mut kept, mut folders) = (DocumentMut::new(), Vec::new());
    if let Some(sources) = settings.get("source") {
        kept.insert("source", sources.clone());
    }
    let sources = kept.get_mut("source").and_then(Item::as_table_like_mut);
    for (_, source) in sources.into_iter().flat_map(|sources| sources.iter_mut()) {
        for key in ["directory", "local-registry"] {
            if let Some(folder) = source.get(key).and_then(Item::as_str) {
                let folder = base.join(folder);
                source[key] = toml_edit::value(folder.display().to_string());
                folders.push(folder);
            }
        }
    }
    let registries = settings.get("registries").and_then(Item::as_table_like);
    for (name, registry) in registries.into_iter().flat_map(|registries| registries.iter()) {
        if let Some(index) = registry.get("index") {
            kept["registries"][name]["index"] = index.clone();
        }
    }
    (kept, folders)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
pub(super) fn link(to: &Path, at: &Path) -> io::Result<()> {
    fs::os::unix::fs::symlink(to, at)
}

#[cfg(windows)]
pub(super) fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(to, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_users_settings_only_the_origins_of_crates_stay() {
        let settings = "[build]\nrustc-wrapper = \"sccache\"\n\
            [source.crates-io]\nreplace-with = \"near\"\n\
            [source.near]\ndirectory = \"vendor\"\n\
            [registries.own]\nindex = \"sparse+https://own.example/\"\ntoken = \"s3cret\"\n";
        let (kept, folders) = origins(&settings.parse().unwrap(), Path::new("/home/user"));
        let kept = kept.to_string();
        for stays in ["replace-with", "/home/user/vendor", "own.example"] {
            assert!(kept.contains(stays), "{stays}: {kept}");
        }
        for goes in ["s3cret", "sccache"] {
            assert!(!kept.contains(goes), "{goes}: {kept}");
        }
        assert_eq!(folders, [Path::new("/home/user/vendor")]);
        kept.parse::<DocumentMut>().unwrap();
    }

    #[test]
    fn it_is_new_for_every_build() {
        let builds = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(builds.path(), true).unwrap();
        let left = scratch.home().join("left");
        fs::write(&left, "").unwrap();
        std::mem::forget(scratch);
        let next = Scratch::new(builds.path(), true).unwrap();
        assert!(!left.exists() && next.temporary().is_dir());
        drop(next);
        assert_eq!(fs::read_dir(builds.path()).unwrap().count(), 0);
    }
}
