//! Packing a source into an archive that others can use it from.
//!
//! The archive depends on the files' names and content and on nothing else: not on the machine, the time or the order
//! in which a folder gives its entries. What `.gitignore` files name, Git's own files and Cargo's target folders are
//! left out.
use super::local::is_build_folder;
use crate::{
    archive::append,
    tree::{EntryKind, TreeHasher, digest, entry_kind, link_stays_inside, link_target, path_text},
};
use flate2::{Compression, GzBuilder};
use fs_err as fs;
use ignore::WalkBuilder;
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose, ErrorClass, NextStep},
    file::{about, folder_of, temporary_file},
};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A source that was packed, or that would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packing {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Relative, with `/`.
    path: String,
    kind: EntryKind,
    place: PathBuf,
}

/// An archive of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The SHA-256 of the archive.
    pub sha256: Sha256Digest,
    /// The hash of the tree in it, as it has once the archive is extracted.
    pub tree_hash: Sha256Digest,
    /// The size of the archive.
    pub size_bytes: u64,
}

/// Why a source cannot be packed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A file or folder of the source cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A symbolic link leads out of the source.
    #[error("{} is a link that leads out of the source, to {target}", path.display())]
    LeadsOut {
        /// The link.
        path: PathBuf,
        /// What it says.
        target: String,
    },
    /// The archive cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The archive.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl PackError {
    /// For `map_err`: `path` cannot be read.
    fn read(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Read {
            source: about(&path, error),
            path: path.clone(),
        }
    }

    /// For `map_err`: the archive `path` cannot be written.
    fn write(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Write {
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for PackError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::LeadsOut { .. } => Some(NextStep::advice(
                "a source must be complete in itself: copy what the link leads to into it",
            )),
            Self::Read { source, .. } | Self::Write { source, .. } => NextStep::for_access(source),
        }
    }
}

impl Packing {
    /// Looks up what belongs to the source in `root`. The file `archive`, which may lie in it, does not.
    ///
    /// # Errors
    /// When a folder cannot be read, a name is not UTF-8, or a link leads out of the source.
    pub fn of(root: &Path, archive: &Path) -> Result<Self, PackError> {
        let archive = same_file::Handle::from_path(archive).ok();
        let walk = WalkBuilder::new(root)
            .standard_filters(false)
            .parents(true)
            .git_ignore(true)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git" && !is_build_folder(entry.path()))
            .build();
        let mut entries = Vec::new();
        for found in walk {
            let found = found.map_err(|error| {
                let told = error.to_string();
                let system = error.into_io_error();
                PackError::read(root)(system.unwrap_or_else(|| io::Error::other(told)))
            })?;
            let place = found.into_path();
            let failed = PackError::read(&place);
            let metadata = fs::symlink_metadata(&place).map_err(&failed)?;
            let Some(kind) = entry_kind(&metadata) else {
                continue;
            };
            if archive.is_some() && same_file::Handle::from_path(&place).ok() == archive {
                continue;
            }
            // The walk gives paths below its root.
            let path = path_text(place.strip_prefix(root).unwrap_or(&place)).map_err(&failed)?;
            if kind == EntryKind::Link {
                let target = link_target(&place).map_err(&failed)?;
                if !link_stays_inside(&path, &target) {
                    return Err(PackError::LeadsOut { path: place, target });
                }
            }
            entries.push(Entry { path, kind, place });
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { entries })
    }

    /// The paths of all files and links, relative to the source, with `/`, in their order.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|entry| entry.path.as_str())
    }

    /// The hash of the tree, with the source's folder as its root.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn tree_hash(&self) -> Result<Sha256Digest, PackError> {
        let mut hasher = TreeHasher::default();
        for entry in &self.entries {
            hasher.add(entry.path.clone(), entry.kind, entry.digest()?);
        }
        Ok(hasher.finish())
    }

    /// Writes the `.tar.gz` file `archive`, in which everything lies in the folder `name`. It is there whole or not at
    /// all.
    ///
    /// # Errors
    /// When a file cannot be read, or the archive not be written.
    pub fn write(&self, archive: &Path, name: &str) -> Result<Packed, PackError> {
        let failed = PackError::write(archive);
        let mut file = temporary_file(folder_of(archive), ".tmp").map_err(&failed)?;
        // Neither name nor time of the file within.
        let gzip = GzBuilder::new().write(io::BufWriter::new(&mut file), Compression::best());
        let mut tar = tar::Builder::new(gzip);
        let mut hasher = TreeHasher::default();
        for entry in &self.entries {
            let path = format!("{name}/{}", entry.path);
            let hash = entry.digest()?;
            append(&mut tar, &path, entry.kind, &entry.place).map_err(&failed)?;
            hasher.add(path, entry.kind, hash);
        }
        tar.into_inner()
            .and_then(flate2::write::GzEncoder::finish)
            .and_then(|mut buffer| buffer.flush())
            .map_err(&failed)?;
        file.as_file().sync_all().map_err(&failed)?;
        let sha256 = Sha256Digest::of_file(file.path()).map_err(&failed)?;
        let size_bytes = file.as_file().metadata().map_err(&failed)?.len();
        file.persist(archive).map_err(|error| failed(error.error))?;
        Ok(Packed {
            sha256,
            tree_hash: hasher.finish(),
            size_bytes,
        })
    }
}

impl Entry {
    fn digest(&self) -> Result<Sha256Digest, PackError> {
        digest(self.kind, &self.place).map_err(PackError::read(&self.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{ArchiveFormat, ArchiveLimits, extract};

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    #[test]
    fn only_what_git_would_track_is_packed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(
            root,
            &[
                ("Cargo.toml", "[package]"),
                ("src/lib.rs", "// code"),
                (".gitignore", "*.log\n/scratch/\n"),
                ("build.log", "noise"),
                ("src/.gitignore", "private.rs\n"),
                ("src/private.rs", "// mine"),
                ("scratch/a", "noise"),
                ("target/release/a", "built"),
                ("weights/target/a.bin", "no crate's target folder"),
                (".git/HEAD", "ref"),
                (".cargo/config.toml", ""),
                ("own.tar.gz", "an older archive"),
            ],
        );
        let packing = Packing::of(root, &root.join("own.tar.gz")).unwrap();
        let paths: Vec<_> = packing.paths().collect();
        assert_eq!(
            paths,
            [
                ".cargo/config.toml",
                ".gitignore",
                "Cargo.toml",
                "src/.gitignore",
                "src/lib.rs",
                "weights/target/a.bin"
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_same_files_make_the_same_archive_and_it_extracts_to_its_tree_hash() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let long = format!("{}/deep.txt", "a-long-folder-name/".repeat(8));
        let make = |order: &[usize]| {
            let folder = tempfile::tempdir().unwrap();
            let files = [("b.txt", "2"), ("a/c.txt", "1"), (long.as_str(), "3")];
            for &index in order {
                write(folder.path(), &[files[index]]);
            }
            let script = folder.path().join("b.txt");
            std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();
            symlink("a/c.txt", folder.path().join("link")).unwrap();
            folder
        };
        let (one, other) = (make(&[0, 1, 2]), make(&[2, 1, 0]));
        let output = tempfile::tempdir().unwrap();
        let pack = |folder: &tempfile::TempDir, name: &str| {
            let archive = output.path().join(name);
            let packing = Packing::of(folder.path(), &archive).unwrap();
            packing.write(&archive, "model-0.1.0").unwrap()
        };
        let packed = pack(&one, "one.tar.gz");
        assert_eq!(packed, pack(&other, "other.tar.gz"));
        let archive = output.path().join("one.tar.gz");
        assert_eq!(packed.sha256, Sha256Digest::of_file(&archive).unwrap());
        let extracted = extract(
            &archive,
            ArchiveFormat::TarGz,
            &output.path().join("tree"),
            &ArchiveLimits::default(),
        )
        .unwrap();
        assert_eq!(extracted.tree_hash, packed.tree_hash);
        assert!(output.path().join("tree/model-0.1.0").join(&long).is_file());
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_source_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let error = Packing::of(folder.path(), Path::new("none.tar.gz")).unwrap_err();
        assert!(matches!(error, PackError::LeadsOut { .. }), "{error}");
    }
}
