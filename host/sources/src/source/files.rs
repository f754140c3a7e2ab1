//! Which files in a folder on this machine belong to the source there: those that others would get of it.
//!
//! What Git is told to ignore is no part of a source, unless a commit has it all the same; nor are Git's own files and
//! Cargo's target folders. So a folder has the hash of the archive that is packed of it, and of the commit that is made of
//! it, whatever editors and programs leave behind in it.
use crate::{
    git,
    tree::{EntryKind, TreeHasher, digest, entry_kind, path_text},
};
use fs_err as fs;
use ignore::WalkBuilder;
use modelzoo_base::{Sha256Digest, file::about};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// A file or link of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Relative, with `/`.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    pub(crate) place: PathBuf,
}

/// A file or folder of a source that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The file or folder.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl Unreadable {
    /// For `map_err`: `path` cannot be read.
    fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self {
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl SourceFile {
    /// The digest of its content, or of what the link says.
    pub(crate) fn digest(&self) -> Result<Sha256Digest, Unreadable> {
        digest(self.kind, &self.place).map_err(Unreadable::at(&self.place))
    }

    /// The file at `place` below `root`; `None` where it is a folder, or nothing that has content.
    fn at(root: &Path, place: PathBuf) -> Result<Option<Self>, Unreadable> {
        let failed = Unreadable::at(&place);
        let metadata = fs::symlink_metadata(&place).map_err(&failed)?;
        let Some(kind) = entry_kind(&metadata) else {
            return Ok(None);
        };
        // The walk gives paths below its root.
        let path = path_text(place.strip_prefix(root).unwrap_or(&place)).map_err(&failed)?;
        Ok(Some(Self { path, kind, place }))
    }
}

/// The files and links of the source in `root`, in the order of their paths.
pub(crate) fn files_of(root: &Path) -> Result<Vec<SourceFile>, Unreadable> {
    let tracked = git::tracked_files(root);
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        // Without a repository, a `.gitignore` further up is none of its own.
        .parents(tracked.is_some())
        .git_ignore(true)
        .git_exclude(true)
        .git_global(true)
        .require_git(false)
        .filter_entry(|entry| entry.depth() == 0 || !is_left_out(entry.path()))
        .build();
    let mut files = BTreeMap::new();
    let mut add = |place: PathBuf| -> Result<(), Unreadable> {
        if let Some(file) = SourceFile::at(root, place)? {
            files.insert(file.path.clone(), file);
        }
        Ok(())
    };
    for found in walk {
        let found = found.map_err(|error| {
            let told = error.to_string();
            let system = error.into_io_error();
            Unreadable::at(root)(system.unwrap_or_else(|| io::Error::other(told)))
        })?;
        add(found.into_path())?;
    }
    for path in tracked.unwrap_or_default() {
        let place = root.join(&path);
        let is_left_out = place
            .ancestors()
            .take_while(|folder| *folder != root)
            .any(is_left_out);
        // What was deleted is in the index until that is committed.
        if !is_left_out && place.symlink_metadata().is_ok() {
            add(place)?;
        }
    }
    Ok(files.into_values().collect())
}

/// The hash of the tree of these files.
pub(crate) fn hash_of(files: &[SourceFile]) -> Result<Sha256Digest, Unreadable> {
    let mut hasher = TreeHasher::default();
    for file in files {
        hasher.add(file.path.clone(), file.kind, file.digest()?);
    }
    Ok(hasher.finish())
}

/// Whether something is Git's own, or what Cargo built.
fn is_left_out(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".git") || is_build_folder(path)
}

/// Whether a folder is the target folder of the crate or workspace that it lies in.
pub(super) fn is_build_folder(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "target")
        && folder
            .parent()
            .is_some_and(|parent| parent.join("Cargo.toml").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::{IndexAddOption, Repository};

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    fn paths(root: &Path) -> Vec<String> {
        let files = files_of(root).unwrap();
        files.into_iter().map(|file| file.path).collect()
    }

    const FILES: [(&str, &str); 12] = [
        ("Cargo.toml", "[package]"),
        ("src/lib.rs", "// code"),
        (".gitignore", "*.log\n/scratch/\n/kept.bin\n"),
        ("build.log", "noise"),
        ("src/.gitignore", "private.rs\n"),
        ("src/private.rs", "// mine"),
        ("scratch/a", "noise"),
        ("target/release/a", "built"),
        ("weights/target/a.bin", "no crate's target folder"),
        (".git/HEAD", "ref"),
        (".cargo/config.toml", ""),
        ("kept.bin", "weights"),
    ];
    const PART: [&str; 6] = [
        ".cargo/config.toml",
        ".gitignore",
        "Cargo.toml",
        "src/.gitignore",
        "src/lib.rs",
        "weights/target/a.bin",
    ];

    #[test]
    fn what_git_ignores_is_no_part_of_a_source() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &FILES);
        assert_eq!(paths(folder.path()), PART);
    }

    #[test]
    fn what_git_has_all_the_same_is_a_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("sources/one");
        write(&source, &FILES);
        fs::remove_dir_all(source.join(".git")).unwrap();
        write(folder.path(), &[(".gitignore", "*.rs\n"), ("other/a", "")]);
        let repository = Repository::init(folder.path()).unwrap();
        let mut index = repository.index().unwrap();
        index
            .add_all(["sources/one/kept.bin"], IndexAddOption::FORCE, None)
            .unwrap();
        index.add_path(Path::new("sources/one/src/lib.rs")).unwrap();
        index.write().unwrap();
        let mut expected = PART.to_vec();
        expected.insert(3, "kept.bin");
        assert_eq!(paths(&source), expected);
        fs::remove_file(source.join("kept.bin")).unwrap();
        assert_eq!(paths(&source), PART);
    }

    #[test]
    fn a_rule_further_up_is_none_where_there_is_no_repository() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[(".gitignore", "*\n"), ("source/a", "")]);
        assert_eq!(paths(&folder.path().join("source")), ["a"]);
    }
}
