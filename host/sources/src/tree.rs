//! Trees of files: what they hash to, and what may be in one that others made.
//!
//! A tree's hash is the SHA-256 of the text `modelzoo-tree-1\n`, followed, for each file and symbolic link in the order
//! of their paths' bytes, by
//!
//! ```text
//! KIND SPACE DIGEST SPACE PATH NUL
//! ```
//!
//! KIND is `f` for a file, `x` for an executable file, `l` for a link; DIGEST is the SHA-256 of the content, or of the
//! link's target, in lower-case hexadecimal digits; PATH is relative, UTF-8, with `/`. Folders are not entries, so an
//! empty one leaves no trace, as in Git. Times and owners are no part of it.
use modelzoo_base::{Sha256Digest, digest::Sha256Hasher};
use std::{io, path::Path};

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Executable,
    Link,
}

/// Collects the entries of a tree, in any order, for its hash.
#[derive(Debug, Default)]
pub(crate) struct TreeHasher {
    entries: Vec<(String, EntryKind, Sha256Digest)>,
}

impl TreeHasher {
    /// `path` is relative, with `/`; `digest` is that of the content or of the link's target.
    pub(crate) fn add(&mut self, path: String, kind: EntryKind, digest: Sha256Digest) {
        self.entries.push((path, kind, digest));
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn finish(mut self) -> Sha256Digest {
        self.entries.sort_by(|a, b| a.0.cmp(&b.0));
        let mut hasher = Sha256Hasher::default();
        hasher.update("modelzoo-tree-1\n");
        for (path, kind, digest) in &self.entries {
            let letter = match kind {
                EntryKind::File => 'f',
                EntryKind::Executable => 'x',
                EntryKind::Link => 'l',
            };
            hasher.update(format!("{letter} {digest} {path}\0"));
        }
        hasher.finish()
    }
}

/// The hash of the tree in `root`. `skip` is asked about each file and folder, with its path.
pub(crate) fn hash_folder(root: &Path, skip: &dyn Fn(&Path) -> bool) -> io::Result<Sha256Digest> {
    let mut hasher = TreeHasher::default();
    visit(root, "", skip, &mut |path, kind, file| {
        let digest = digest(kind, file)?;
        hasher.add(path, kind, digest);
        Ok(())
    })?;
    Ok(hasher.finish())
}

/// The digest of a file's content, or of a link's target.
pub(crate) fn digest(kind: EntryKind, place: &Path) -> io::Result<Sha256Digest> {
    match kind {
        EntryKind::Link => Ok(Sha256Digest::of(link_target(place)?)),
        EntryKind::File | EntryKind::Executable => Sha256Digest::of_file(place),
    }
}

/// Calls `found` with the relative path, kind and place of each file and link below `folder`.
pub(crate) fn visit(
    folder: &Path,
    prefix: &str,
    skip: &dyn Fn(&Path) -> bool,
    found: &mut dyn FnMut(String, EntryKind, &Path) -> io::Result<()>,
) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let place = entry.path();
        let name = entry.file_name();
        let path = format!("{prefix}{}", path_text(Path::new(&name))?);
        let metadata = fs_err::symlink_metadata(&place)?;
        if skip(&place) {
            continue;
        }
        if metadata.is_dir() {
            visit(&place, &format!("{path}/"), skip, found)?;
        } else if let Some(kind) = entry_kind(&metadata) {
            found(path, kind, &place)?;
        }
    }
    Ok(())
}

/// What an entry is by its own metadata; `None` for folders, and for sockets, pipes and devices, which are no content.
pub(crate) fn entry_kind(metadata: &std::fs::Metadata) -> Option<EntryKind> {
    if metadata.is_symlink() {
        Some(EntryKind::Link)
    } else if !metadata.is_file() {
        None
    } else if is_executable(metadata) {
        Some(EntryKind::Executable)
    } else {
        Some(EntryKind::File)
    }
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// A path as the hash and archives write it: UTF-8, with `/`.
pub(crate) fn path_text(path: &Path) -> io::Result<String> {
    let Some(text) = path.to_str() else {
        let message = format!("the file name {} is not UTF-8", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    };
    Ok(if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.to_owned()
    })
}

/// What a link says, as the hash and archives write it.
pub(crate) fn link_target(link: &Path) -> io::Result<String> {
    path_text(&fs_err::read_link(link)?)
}

/// Why one part of a path cannot be written; `None` if it can. What any of the supported systems, or Git itself,
/// reads as something else is refused on all of them.
pub(crate) fn refused_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if matches!(name, "" | "." | "..") {
        Some("its name leads to another folder")
    } else if lower == ".git" || lower == "git~1" {
        Some("its name belongs to Git")
    } else if name.contains(['/', '\\', '\0']) || (cfg!(windows) && name.contains(':')) {
        Some("its name contains a separator")
    } else {
        None
    }
}

/// Whether a link at `path` (relative, with `/`) to `target` cannot lead out of the tree, whatever else is in it:
/// `..` only at the target's beginning, so that no other link can come before it, and only up to the tree's root.
pub(crate) fn link_stays_inside(path: &str, target: &str) -> bool {
    let depth = path.matches('/').count();
    let rises = target.split('/').take_while(|part| *part == "..").count();
    !target.starts_with('/')
        && !target.contains(['\\', '\0', ':'])
        && rises <= depth
        && !target.is_empty()
        && target.split('/').skip(rises).all(|part| part != "..")
}

/// Writes a symbolic link.
#[cfg(unix)]
pub(crate) fn write_link(target: &str, place: &Path) -> io::Result<()> {
    fs_err::os::unix::fs::symlink(target, place)
}

/// Symbolic links need privileges here, so a link is refused.
#[cfg(not(unix))]
pub(crate) fn write_link(target: &str, place: &Path) -> io::Result<()> {
    let message = format!(
        "{} is a symbolic link to {target}, which this system cannot have",
        place.display()
    );
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

/// Makes a file executable for those who can read it, where the system knows such a thing.
pub(crate) fn make_executable(file: &fs_err::File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata()?.permissions().mode();
        file.set_permissions(std::fs::Permissions::from_mode(mode | ((mode & 0o444) >> 2)))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_covers_names_kinds_and_content_but_not_order() {
        let hash = |entries: &[(&str, EntryKind, &str)]| {
            let mut hasher = TreeHasher::default();
            for (path, kind, content) in entries {
                hasher.add((*path).to_owned(), *kind, Sha256Digest::of(content));
            }
            hasher.finish()
        };
        let base = hash(&[("a", EntryKind::File, "1"), ("b/c", EntryKind::File, "2")]);
        assert_eq!(
            base,
            hash(&[("b/c", EntryKind::File, "2"), ("a", EntryKind::File, "1")])
        );
        for other in [
            hash(&[("a", EntryKind::File, "1"), ("b/c", EntryKind::File, "3")]),
            hash(&[("a", EntryKind::Executable, "1"), ("b/c", EntryKind::File, "2")]),
            hash(&[("a", EntryKind::File, "1"), ("b", EntryKind::File, "2")]),
            hash(&[("a", EntryKind::File, "1")]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn the_hash_is_as_documented() {
        let mut hasher = TreeHasher::default();
        hasher.add("a".into(), EntryKind::File, Sha256Digest::of("1"));
        let text = format!("modelzoo-tree-1\nf {} a\0", Sha256Digest::of("1"));
        assert_eq!(hasher.finish(), Sha256Digest::of(text));
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_hashed_with_links_and_without_what_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("sub/empty")).unwrap();
        std::fs::create_dir(root.join("target")).unwrap();
        std::fs::write(root.join("sub/file"), "1").unwrap();
        std::fs::write(root.join("target/junk"), "2").unwrap();
        std::os::unix::fs::symlink("sub/file", root.join("link")).unwrap();
        let mut expected = TreeHasher::default();
        expected.add("sub/file".into(), EntryKind::File, Sha256Digest::of("1"));
        expected.add("link".into(), EntryKind::Link, Sha256Digest::of("sub/file"));
        let hash = hash_folder(root, &|folder| folder.ends_with("target")).unwrap();
        assert_eq!(hash, expected.finish());
    }

    #[test]
    fn links_out_are_seen_through() {
        for (path, target, inside) in [
            ("a", "b/c", true),
            ("d/a", "../b", true),
            ("a", "../b", false),
            ("a", "/etc/passwd", false),
            ("d/a", "../../b", false),
            ("d/a", "../x/../y", false),
            ("a", "", false),
            ("a", "C:\\x", false),
        ] {
            assert_eq!(link_stays_inside(path, target), inside, "{path} -> {target}");
        }
    }
}
