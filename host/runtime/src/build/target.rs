//! Where crates are compiled: a folder that sources share, and one for each of them.
//!
//! Whoever runs code in a build can write over what was compiled there before. So the shared folder is written to only
//! while the crates of the SDK are compiled; a source is built in a folder of its own, which shows what is in the shared
//! one by links to it, and for its build that is read-only.

use super::BuildError;
use fs_err as fs;
use modelzoo_base::file;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use walkdir::{DirEntry, WalkDir};

/// The folder of cargo's that all is compiled into.
const PROFILE: &str = "release";
/// What cargo notes of what it compiled. It is copied, because cargo notes more in the same files.
const NOTES: &str = ".fingerprint";
/// The results of build scripts: their notes beside what they wrote.
const SCRIPTS: &str = "build";
/// What cargo notes of a build script's run.
const SCRIPT_NOTES: [&str; 4] = ["invoked.timestamp", "output", "root-output", "stderr"];
/// What was compiled.
const COMPILED: &str = "deps";

/// The shared folder, and what is known of it.
#[derive(Debug)]
pub(super) struct SharedTarget {
    folder: PathBuf,
    /// Beside it, where no build writes.
    memory: PathBuf,
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// Where the folder was. What cargo compiled names other places than it would now, and is compiled anew, once it is
    /// elsewhere.
    #[serde(default)]
    folder: PathBuf,
    /// Changes whenever something is compiled into it.
    generation: String,
    /// Names of what is compiled in it as a whole.
    known: BTreeSet<String>,
}

impl SharedTarget {
    /// The folder for all that is compiled in one way, in the folder of all builds.
    pub(super) fn open(builds: &Path, id: &str) -> Result<Self, BuildError> {
        let shared = builds.join("shared");
        let folder = shared.join(id);
        let memory = shared.join(format!("{id}.json"));
        let is_there = folder.is_dir();
        fs::create_dir_all(&folder).map_err(BuildError::file("create", &folder))?;
        // A folder that somebody has deleted or moved holds nothing of use, whatever is remembered.
        let state = fs::read(&memory)
            .ok()
            .filter(|_| is_there)
            .and_then(|text| serde_json::from_slice(&text).ok())
            .filter(|state: &State| state.folder == folder);
        Ok(Self {
            state: state.unwrap_or_else(|| State {
                folder: folder.clone(),
                ..State::default()
            }),
            folder,
            memory,
        })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether all that this name stands for is compiled.
    pub(super) fn has(&self, name: &str) -> bool {
        self.state.known.contains(name)
    }

    /// Notes that all that this name stands for is compiled, and whether some of it was just now.
    pub(super) fn note(&mut self, name: String, is_new: bool) -> Result<(), BuildError> {
        self.state.known.insert(name);
        if is_new || self.state.generation.is_empty() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.state.generation = now.as_nanos().to_string();
        }
        let text = serde_json::to_vec(&self.state).map_err(io::Error::from);
        text.and_then(|text| file::write(&self.memory, text))
            .map_err(BuildError::file("write", &self.memory))
    }

    /// Prepares the folder `own` of one source: what is in the shared one shows through it. What was compiled there for
    /// the same source before stays, unless the shared folder has changed since.
    pub(super) fn show_in(&self, own: &Path) -> Result<(), BuildError> {
        let seen = own.with_extension("generation");
        // Its links lead to where the shared folder is.
        let present = format!("{} {}", self.state.generation, self.folder.display());
        let is_same = fs::read_to_string(&seen).is_ok_and(|seen| seen == present);
        (|| {
            if !is_same {
                remove(own)?;
            }
            fs::create_dir_all(own.join(PROFILE))?;
            file::write(&seen, &present)?;
            for part in [COMPILED, NOTES, SCRIPTS] {
                show(
                    &self.folder.join(PROFILE).join(part),
                    &own.join(PROFILE).join(part),
                )?;
            }
            Ok(())
        })()
        .map_err(BuildError::file("prepare", own))
    }
}

/// Deletes the folder of one source.
pub(super) fn remove(own: &Path) -> io::Result<()> {
    for result in [
        fs::remove_dir_all(own),
        fs::remove_file(own.with_extension("generation")),
    ] {
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Shows the files below `from` in `to`, where there are none of the same names: notes as copies, all else as links.
fn show(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    // What a build script wrote is one link.
    let is_output = |entry: &DirEntry| entry.depth() == 2 && entry.file_name() == "out";
    let mut entries = WalkDir::new(from).into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        // `WalkDir` gives paths below its root.
        let place = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        let kind = entry.file_type();
        if kind.is_dir() && is_output(&entry) {
            entries.skip_current_dir();
            link(entry.path(), &place)?;
        } else if kind.is_dir() {
            fs::create_dir_all(&place)?;
        } else if kind.is_file() && is_note(&entry, from) {
            copy(entry.path(), &place)?;
        } else if kind.is_file() {
            link(entry.path(), &place)?;
        }
    }
    Ok(())
}

/// Whether a file is a note of cargo's.
fn is_note(entry: &DirEntry, part: &Path) -> bool {
    let name = entry.file_name();
    part.ends_with(NOTES) || (part.ends_with(SCRIPTS) && SCRIPT_NOTES.iter().any(|note| name == *note))
}

/// Copies a file, with its time: by that cargo knows what is older than what.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    let modified = fs::metadata(from)?.modified()?;
    fs::OpenOptions::new()
        .write(true)
        .open(to)?
        .file()
        .set_modified(modified)
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Ok(());
    }
    fs::os::unix::fs::symlink(from, to)
}

/// Elsewhere links need rights, and nothing is shut in.
#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            link(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    copy(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn what_is_shared_shows_in_the_folder_of_a_source() {
        let builds = tempfile::tempdir().unwrap();
        let mut shared = SharedTarget::open(builds.path(), "id").unwrap();
        let release = shared.folder().join("release");
        for name in [
            "deps/liba.rlib",
            ".fingerprint/a-1/lib-a",
            "build/a-2/output",
            "build/a-2/out/made.rs",
            "build/a-3/build-script-build",
        ] {
            write(release.join(name), name);
        }
        shared.note("a".to_owned(), true).unwrap();
        let own = builds.path().join("target/source");
        shared.show_in(&own).unwrap();
        for (name, is_copy) in [
            ("deps/liba.rlib", false),
            (".fingerprint/a-1/lib-a", true),
            ("build/a-2/output", true),
            ("build/a-2/out", false),
            ("build/a-3/build-script-build", false),
        ] {
            let place = own.join("release").join(name);
            assert_eq!(!place.is_symlink(), is_copy, "{name}");
        }
        let time = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let note = "release/build/a-2/output";
        assert_eq!(time(own.join(note)), time(shared.folder().join(note)));

        // What the source compiled itself stays, until others compile more.
        let of_source = own.join("release/deps/libown.rlib");
        write(of_source.clone(), "own");
        shared.show_in(&own).unwrap();
        assert!(of_source.exists());
        shared.note("b".to_owned(), true).unwrap();
        shared.show_in(&own).unwrap();
        assert!(!of_source.exists());
        remove(&own).unwrap();
        assert!(release.join("deps/liba.rlib").exists());
        assert_eq!(fs::read_dir(builds.path().join("target")).unwrap().count(), 0);
    }

    #[test]
    fn a_deleted_folder_holds_nothing() {
        let builds = tempfile::tempdir().unwrap();
        let mut shared = SharedTarget::open(builds.path(), "id").unwrap();
        shared.note("a".to_owned(), false).unwrap();
        assert!(SharedTarget::open(builds.path(), "id").unwrap().has("a"));
        fs::remove_dir_all(shared.folder()).unwrap();
        assert!(!SharedTarget::open(builds.path(), "id").unwrap().has("a"));
    }

    #[test]
    fn a_moved_folder_is_compiled_anew() {
        let home = tempfile::tempdir().unwrap();
        let (before, after) = (home.path().join("before"), home.path().join("after"));
        let mut shared = SharedTarget::open(&before, "id").unwrap();
        shared.note("a".to_owned(), true).unwrap();
        fs::rename(&before, &after).unwrap();
        let mut moved = SharedTarget::open(&after, "id").unwrap();
        assert!(!moved.has("a"));
        moved.note("a".to_owned(), true).unwrap();
        assert!(SharedTarget::open(&after, "id").unwrap().has("a"));
    }
}
