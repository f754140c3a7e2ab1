//! The folder that somebody works in.
use git2::{Repository, StatusOptions};
use std::path::{Path, PathBuf};

/// The commit of the work tree that `folder` is in; `None` where it is in none, or where anything in the work tree differs
/// from the commit, but for what Git is told to ignore.
pub fn clean_commit(folder: &Path) -> Option<String> {
    let repository = Repository::discover(folder).ok()?;
    let head = repository.head().and_then(|head| head.peel_to_commit()).ok()?;
    let mut options = StatusOptions::new();
    options.include_untracked(true);
    let is_clean = repository.statuses(Some(&mut options)).ok()?.is_empty();
    is_clean.then(|| head.id().to_string())
}

/// The files that Git has of `folder`, relative to it; `None` where it is in no repository that can be read.
pub(crate) fn tracked_files(folder: &Path) -> Option<Vec<PathBuf>> {
    let repository = Repository::discover(folder).ok()?;
    let root = repository.workdir()?.canonicalize().ok()?;
    let folder = folder.canonicalize().ok()?;
    let folder = folder.strip_prefix(root).ok()?;
    let index = repository.index().ok()?;
    let paths = index
        .iter()
        .filter_map(|entry| Some(PathBuf::from(str::from_utf8(&entry.path).ok()?)));
    Some(
        paths
            .filter_map(|path| Some(path.strip_prefix(folder).ok()?.to_owned()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unchanged_work_tree_has_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(clean_commit(folder.path()), None);
        let repository = Repository::init(folder.path()).unwrap();
        assert_eq!(clean_commit(folder.path()), None);
        std::fs::write(folder.path().join(".gitignore"), "*.tar.gz").unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new(".gitignore")).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let author = git2::Signature::now("A", "a@example.org").unwrap();
        let commit = repository
            .commit(Some("HEAD"), &author, &author, "first", &tree, &[])
            .unwrap();
        std::fs::write(folder.path().join("x.tar.gz"), "packed").unwrap();
        assert_eq!(clean_commit(folder.path()), Some(commit.to_string()));
        std::fs::write(folder.path().join("new.rs"), "").unwrap();
        assert_eq!(clean_commit(folder.path()), None);
    }
}
