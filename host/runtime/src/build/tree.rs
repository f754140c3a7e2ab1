//! Copying a source to the place where it is built: nothing is ever written into the user's folder.

use super::BuildError;
use fs_err as fs;
use std::{collections::BTreeSet, path::Path};
use walkdir::WalkDir;

/// Folders at the top of a source that are no part of it.
const LEFT_OUT: [&str; 2] = [".git", "target"];

/// Copies the source at `from`, or these files of it, to the folder `to`, in the place of what was there.
///
/// Symbolic links are kept where they stay inside of the source, and refused where they do not.
pub(super) fn copy(from: &Path, files: Option<&BTreeSet<String>>, to: &Path) -> Result<(), BuildError> {
    if to.exists() {
        fs::remove_dir_all(to).map_err(BuildError::file("delete", to))?;
    }
    let root = fs::canonicalize(from).map_err(BuildError::file("read", from))?;
    let is_part = |entry: &walkdir::DirEntry| {
        let is_left_out =
            entry.depth() == 1 && LEFT_OUT.iter().any(|left_out| entry.file_name() == *left_out);
        !is_left_out && files.is_none_or(|files| is_among(files, entry, &root))
    };
    for entry in WalkDir::new(&root).into_iter().filter_entry(is_part) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(&root).to_owned();
            BuildError::file("read", &path)(error.into())
        })?;
        let path = entry.path();
        // `WalkDir` gives paths below its root.
        let target = to.join(path.strip_prefix(&root).unwrap_or(path));
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(&target)
        } else if kind.is_symlink() {
            copy_link(path, &target, &root)?;
            Ok(())
        } else {
            fs::copy(path, &target).map(drop)
        }
        .map_err(BuildError::file("write", &target))?;
    }
    Ok(())
}

/// Whether an entry of the folder `root` is one of these files, or a folder with some of them.
fn is_among(files: &BTreeSet<String>, entry: &walkdir::DirEntry, root: &Path) -> bool {
    // `WalkDir` gives paths below its root.
    let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let path = parts.join("/");
    if !entry.file_type().is_dir() {
        return files.contains(&path);
    }
    let inside = format!("{path}/");
    let first = files.range(inside.clone()..).next();
    path.is_empty() || first.is_some_and(|file| file.starts_with(&inside))
}

/// Copies a symbolic link whose target lies in `root`, as the content of its target: links are not portable.
fn copy_link(link: &Path, target: &Path, root: &Path) -> Result<(), BuildError> {
    let points_to = fs::canonicalize(link).map_err(BuildError::file("follow the link", link))?;
    if !points_to.starts_with(root) {
        return Err(BuildError::PointsOutside {
            from: link.to_owned(),
            to: points_to,
        });
    }
    if points_to.is_dir() {
        // A link to a folder that holds it would be copied for ever.
        if link.starts_with(&points_to) {
            return Err(BuildError::PointsOutside {
                from: link.to_owned(),
                to: points_to,
            });
        }
        return copy(&points_to, None, target);
    }
    fs::copy(&points_to, target)
        .map(drop)
        .map_err(BuildError::file("write", target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_copied_without_what_is_no_part_of_it() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for file in [
            "Cargo.toml",
            "src/lib.rs",
            "src/target/mod.rs",
            "target/debug/x",
            ".git/HEAD",
        ] {
            let path = from.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let copied = to.path().join("copy");
        fs::create_dir_all(copied.join("old")).unwrap();
        copy(from.path(), None, &copied).unwrap();
        for (file, is_there) in [
            ("src/lib.rs", true),
            ("src/target/mod.rs", true),
            ("target", false),
            (".git", false),
            ("old", false),
        ] {
            assert_eq!(copied.join(file).exists(), is_there, "{file}");
        }
    }

    #[test]
    fn of_a_folder_only_the_files_of_the_source_are_copied() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for file in ["Cargo.toml", "src/lib.rs", "src/mine.rs", "scratch/a", ".env"] {
            let path = from.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let files = BTreeSet::from(["Cargo.toml", "src/lib.rs"].map(str::to_owned));
        let copied = to.path().join("copy");
        copy(from.path(), Some(&files), &copied).unwrap();
        for (file, is_there) in [
            ("Cargo.toml", true),
            ("src/lib.rs", true),
            ("src/mine.rs", false),
            ("scratch", false),
            (".env", false),
        ] {
            assert_eq!(copied.join(file).exists(), is_there, "{file}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_that_leave_the_source_are_refused() {
        use std::os::unix::fs::symlink;
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("file"), "content").unwrap();
        symlink("file", from.path().join("inside")).unwrap();
        let copied = to.path().join("copy");
        copy(from.path(), None, &copied).unwrap();
        assert_eq!(fs::read_to_string(copied.join("inside")).unwrap(), "content");
        for outside in ["/etc", "..", "."] {
            let link = from.path().join("outside");
            symlink(outside, &link).unwrap();
            let error = copy(from.path(), None, &copied).unwrap_err();
            assert!(
                matches!(error, BuildError::PointsOutside { .. }),
                "{outside}: {error}"
            );
            fs::remove_file(link).unwrap();
        }
    }
}
