//! Packing a source into an archive that others can use it from.
//!
//! The archive depends on the files' names and content and on nothing else: not on the machine, the time or the order
//! in which a folder gives its entries. In it is what belongs to the source: see [`files`](super::files).
use super::files::{SourceFile, Unreadable, files_of, hash_of};
use crate::{
    archive::append,
    tree::{EntryKind, TreeHasher, link_stays_inside, link_target},
};
use flate2::{Compression, GzBuilder};
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
    files: Vec<SourceFile>,
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

impl From<Unreadable> for PackError {
    fn from(Unreadable { path, source }: Unreadable) -> Self {
        Self::Read { path, source }
    }
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
        let mut files = files_of(root)?;
        if archive.is_some() {
            files.retain(|file| same_file::Handle::from_path(&file.place).ok() != archive);
        }
        for file in files.iter().filter(|file| file.kind == EntryKind::Link) {
            let target = link_target(&file.place).map_err(PackError::read(&file.place))?;
            if !link_stays_inside(&file.path, &target) {
                return Err(PackError::LeadsOut {
                    path: file.place.clone(),
                    target,
                });
            }
        }
        Ok(Self { files })
    }

    /// The paths of all files and links, relative to the source, with `/`, in their order.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }

    /// The hash of the tree, with the source's folder as its root.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn tree_hash(&self) -> Result<Sha256Digest, PackError> {
        Ok(hash_of(&self.files)?)
    }

    /// Writes the `.tar.gz` file `archive`, in which everything lies in the folder `name`. It is there whole or not at
    /// all.
    ///
    /// # Errors
    /// When a file cannot be read, or the archive not be written.
    pub fn write(&self, archive: &Path, name: &str) -> Result<Packed, PackError> {
        let failed = PackError::write(archive);
        let (_registered, mut file) = temporary_file(folder_of(archive), ".tmp").map_err(&failed)?;
        // Neither name nor time of the file within.
        let gzip = GzBuilder::new().write(io::BufWriter::new(&mut file), Compression::best());
        let mut tar = tar::Builder::new(gzip);
        let mut hasher = TreeHasher::default();
        for file in &self.files {
            let path = format!("{name}/{}", file.path);
            let hash = file.digest()?;
            append(&mut tar, &path, file.kind, &file.place).map_err(&failed)?;
            hasher.add(path, file.kind, hash);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{ArchiveFormat, ArchiveLimits, extract};
    use fs_err as fs;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    #[test]
    fn an_older_archive_in_the_folder_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[("Cargo.toml", "[package]"), ("own.tar.gz", "older")],
        );
        let packing = Packing::of(folder.path(), &folder.path().join("own.tar.gz")).unwrap();
        assert_eq!(packing.paths().collect::<Vec<_>>(), ["Cargo.toml"]);
    }

    /// A folder goes by the same hash wherever it is looked at, and whatever lies in it besides.
    #[test]
    fn a_folder_has_the_hash_of_what_is_packed_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::Store::open(folder.path().join("store")).unwrap();
        let root = folder.path().join("source");
        write(
            &root,
            &[("Cargo.toml", "[package]"), (".gitignore", "/.modelzoo\n")],
        );
        let hash = || {
            let hash = crate::source::local::tree_hash(&root, &store).unwrap();
            let packing = Packing::of(&root, &folder.path().join("a.tar.gz")).unwrap();
            assert_eq!(packing.tree_hash().unwrap(), hash);
            hash
        };
        let before = hash();
        write(&root, &[(".modelzoo/patch", "of this machine")]);
        assert_eq!(hash(), before);
        write(&root, &[("src/lib.rs", "")]);
        assert_ne!(hash(), before);
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
