//! Writing the files of a commit.
use super::{GitError, lfs::is_pointer};
use crate::tree::{EntryKind, TreeHasher, link_stays_inside, make_executable, refused_name, write_link};
use git2::{ObjectType, Oid, Repository};
use modelzoo_base::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::{io::Write as _, path::Path};

/// Far more than any source has; a repository that exceeds one of these is meant to do harm.
const MOST_FILES: usize = 200_000;
const MOST_BYTES: u64 = 32 << 30;
const DEEPEST_FOLDER: usize = 100;

/// A commit's files, written.
#[derive(Debug)]
pub struct Checkout {
    /// The hash of the tree that was written.
    pub tree_hash: Sha256Digest,
    /// When the commit was made, in seconds since 1970.
    pub committed_at: i64,
    /// What the commit refers to and the checkout does not have.
    pub omissions: Vec<Omission>,
}

/// A part of a commit whose content is not in the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omission {
    /// The path in the checkout.
    pub path: String,
    /// What it is.
    pub kind: OmissionKind,
}

/// Why content is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OmissionKind {
    /// Another repository; its folder is absent.
    Submodule,
    /// A file in Git LFS; the pointer to it is there in its place.
    LfsPointer,
}

impl std::fmt::Display for Omission {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            OmissionKind::Submodule => {
                write!(formatter, "`{}` is a submodule, which is not fetched", self.path)
            }
            OmissionKind::LfsPointer => {
                write!(
                    formatter,
                    "`{}` is kept in Git LFS, which is not fetched: a manager can name its URL",
                    self.path
                )
            }
        }
    }
}

/// Writes the files of a commit into `folder`, which is empty. Regular files, executable ones, and symbolic links that
/// stay inside are written; submodules and LFS files are reported; all else is refused.
pub(crate) fn check_out(objects: &Repository, commit: &str, folder: &Path) -> Result<Checkout, GitError> {
    let mut writer = TreeWriter {
        objects,
        commit,
        root: folder,
        hasher: TreeHasher::default(),
        links: Vec::new(),
        bytes: 0,
        omissions: Vec::new(),
    };
    let found = Oid::from_str(commit)
        .and_then(|oid| objects.find_commit(oid))
        .map_err(|error| writer.broken(error))?;
    writer.write_tree(found.tree_id(), "", 0)?;
    writer.write_links()?;
    let TreeWriter {
        hasher,
        mut omissions,
        ..
    } = writer;
    omissions.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Checkout {
        tree_hash: hasher.finish(),
        committed_at: found.time().seconds(),
        omissions,
    })
}

struct TreeWriter<'a> {
    objects: &'a Repository,
    commit: &'a str,
    root: &'a Path,
    hasher: TreeHasher,
    /// Path and target. Links are written last, so that no file is ever written through one.
    links: Vec<(String, String)>,
    bytes: u64,
    omissions: Vec<Omission>,
}

impl TreeWriter<'_> {
    fn write_tree(&mut self, tree: Oid, prefix: &str, depth: usize) -> Result<(), GitError> {
        if depth > DEEPEST_FOLDER {
            return Err(self.refuse(
                prefix,
                format!("folders are nested more than {DEEPEST_FOLDER} deep"),
            ));
        }
        let tree = self.objects.find_tree(tree).map_err(|error| self.broken(error))?;
        for entry in &tree {
            let Ok(name) = entry.name() else {
                let name = String::from_utf8_lossy(entry.name_bytes());
                return Err(self.refuse(&format!("{prefix}{name}"), "its name is not UTF-8"));
            };
            let path = format!("{prefix}{name}");
            if let Some(reason) = refused_name(name) {
                return Err(self.refuse(&path, reason));
            }
            if self.hasher.len() + self.links.len() >= MOST_FILES {
                return Err(self.refuse(&path, format!("there are more than {MOST_FILES} files")));
            }
            match (entry.filemode() & 0o170_000, entry.kind()) {
                (0o040_000, _) => {
                    let place = self.root.join(&path);
                    fs_err::create_dir(&place).map_err(GitError::write(&place))?;
                    self.write_tree(entry.id(), &format!("{path}/"), depth + 1)?;
                }
                (0o120_000, _) => self.take_link(path, entry.id())?,
                (0o160_000, _) => self.omissions.push(Omission {
                    path,
                    kind: OmissionKind::Submodule,
                }),
                (0o100_000, _) => self.write_file(path, entry.id(), entry.filemode() & 0o100 != 0)?,
                (_, kind) => {
                    let kind = kind.map_or("object of an unknown kind", |kind| kind.str());
                    return Err(self.refuse(&path, format!("it is a {kind} that is no file")));
                }
            }
        }
        Ok(())
    }

    fn write_file(&mut self, path: String, blob: Oid, is_executable: bool) -> Result<(), GitError> {
        self.count_bytes(&path, blob)?;
        let blob = self.objects.find_blob(blob).map_err(|error| self.broken(error))?;
        let content = blob.content();
        if is_pointer(content) {
            self.omissions.push(Omission {
                path: path.clone(),
                kind: OmissionKind::LfsPointer,
            });
        }
        let place = self.root.join(&path);
        let write = || {
            // A name that differs in case only is the same file on some systems, and must not overwrite it.
            let mut file = fs_err::File::create_new(&place)?;
            file.write_all(content)?;
            if is_executable {
                make_executable(&file)
            } else {
                Ok(())
            }
        };
        write().map_err(GitError::write(&place))?;
        let kind = if is_executable {
            EntryKind::Executable
        } else {
            EntryKind::File
        };
        self.hasher.add(path, kind, Sha256Digest::of(content));
        Ok(())
    }

    /// Checks the size before the content is read into memory.
    fn count_bytes(&mut self, path: &str, blob: Oid) -> Result<(), GitError> {
        let header = self.objects.odb().and_then(|odb| odb.read_header(blob));
        let (size, kind) = header.map_err(|error| self.broken(error))?;
        if kind != ObjectType::Blob {
            return Err(self.refuse(path, "its object is no file"));
        }
        self.bytes = self.bytes.saturating_add(size as u64);
        if self.bytes > MOST_BYTES {
            return Err(self.refuse(
                path,
                format!("the files are larger than {} GiB together", MOST_BYTES >> 30),
            ));
        }
        Ok(())
    }

    fn take_link(&mut self, path: String, blob: Oid) -> Result<(), GitError> {
        self.count_bytes(&path, blob)?;
        let blob = self.objects.find_blob(blob).map_err(|error| self.broken(error))?;
        let Ok(target) = std::str::from_utf8(blob.content()) else {
            return Err(self.refuse(&path, "it is a symbolic link whose target is not UTF-8"));
        };
        if !link_stays_inside(&path, target) {
            let reason = format!(
                "it is a symbolic link out of the source, to `{}`",
                target.escape_debug()
            );
            return Err(self.refuse(&path, reason));
        }
        self.links.push((path, target.to_owned()));
        Ok(())
    }

    fn write_links(&mut self) -> Result<(), GitError> {
        for (path, target) in std::mem::take(&mut self.links) {
            let place = self.root.join(&path);
            write_link(&target, &place).map_err(GitError::write(&place))?;
            self.hasher.add(path, EntryKind::Link, Sha256Digest::of(target));
        }
        Ok(())
    }

    fn broken(&self, source: git2::Error) -> GitError {
        GitError::BrokenObject {
            commit: self.commit.to_owned(),
            source: source.into(),
        }
    }

    fn refuse(&self, path: &str, reason: impl Into<String>) -> GitError {
        GitError::Refused {
            commit: self.commit.to_owned(),
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
