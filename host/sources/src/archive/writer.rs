//! Writing entries where they may go.
use super::ArchiveError;
use crate::tree::{EntryKind, TreeHasher, link_stays_inside, make_executable, refused_name, write_link};
use modelzoo_base::{Sha256Digest, digest::Sha256Hasher};
use std::{
    io::{self, Read, Write},
    path::Path,
};

/// What an archive may contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// The most entries.
    pub entries: u64,
    /// The most bytes of all files, however small the archive is.
    pub bytes: u64,
    /// The most bytes of all files for each byte of the archive, beyond [`ArchiveLimits::free_bytes`].
    pub swelling: u64,
    /// What even a small archive, of much repetition, may swell to.
    pub free_bytes: u64,
    /// The deepest nesting of folders.
    pub depth: usize,
}

impl Default for ArchiveLimits {
    /// 200,000 entries, 64 GiB, a hundredfold swelling beyond 256 MiB, and 100 folders deep.
    fn default() -> Self {
        Self {
            entries: 200_000,
            bytes: 64 << 30,
            swelling: 100,
            free_bytes: 256 << 20,
            depth: 100,
        }
    }
}

/// What was extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// The hash of the tree, by the definition for sources.
    pub tree_hash: Sha256Digest,
    /// How many files and links there are.
    pub files: usize,
    /// The bytes of all files.
    pub bytes: u64,
}

/// What an archive's entry is.
pub(super) enum Content<'a> {
    Folder,
    File {
        executable: bool,
        content: &'a mut dyn Read,
    },
    Link {
        target: String,
    },
    /// Another name of a file that was extracted before.
    Copy {
        of: String,
    },
}

/// Writes the entries of one archive into a new folder.
pub(super) struct EntryWriter<'a> {
    archive: &'a Path,
    destination: &'a Path,
    limits: &'a ArchiveLimits,
    byte_limit: u64,
    entries: u64,
    bytes: u64,
    hasher: TreeHasher,
    /// Path and target. Links are written last, so that no entry is ever written through one.
    links: Vec<(String, String)>,
}

impl<'a> EntryWriter<'a> {
    pub(super) fn new(
        archive: &'a Path,
        archive_size: u64,
        destination: &'a Path,
        limits: &'a ArchiveLimits,
    ) -> Self {
        let swollen = limits
            .free_bytes
            .saturating_add(archive_size.saturating_mul(limits.swelling));
        let byte_limit = swollen.min(limits.bytes);
        Self {
            archive,
            destination,
            limits,
            byte_limit,
            entries: 0,
            bytes: 0,
            hasher: TreeHasher::default(),
            links: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: &[u8], content: Content<'_>) -> Result<(), ArchiveError> {
        let Ok(written_name) = std::str::from_utf8(name) else {
            return Err(self.refuse(&String::from_utf8_lossy(name), "has a name that is not UTF-8"));
        };
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.refuse(
                written_name,
                format!("is one of more than {}", self.limits.entries),
            ));
        }
        let Some(path) = self.checked_path(written_name)? else {
            return Ok(());
        };
        let place = self.destination.join(&path);
        match content {
            Content::Folder => return self.create_folder(&place),
            Content::File { executable, content } => {
                self.create_parent(&place)?;
                let digest = self.write_file(written_name, &place, executable, content)?;
                let kind = if executable {
                    EntryKind::Executable
                } else {
                    EntryKind::File
                };
                self.hasher.add(path, kind, digest);
            }
            Content::Copy { of } => {
                let Some(original) = self.checked_path(&of)?.map(|path| self.destination.join(path)) else {
                    return Err(self.refuse(written_name, "is a second name of the archive's root"));
                };
                let Ok(mut file) = std::fs::File::open(&original) else {
                    return Err(self.refuse(
                        written_name,
                        format!("is a second name of the missing file `{of}`"),
                    ));
                };
                self.create_parent(&place)?;
                let digest = self.write_file(written_name, &place, false, &mut file)?;
                self.hasher.add(path, EntryKind::File, digest);
            }
            Content::Link { target } => {
                if !link_stays_inside(&path, &target) {
                    let reason = format!(
                        "is a symbolic link that may lead out, to `{}`",
                        target.escape_debug()
                    );
                    return Err(self.refuse(written_name, reason));
                }
                self.links.push((path, target));
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Extracted, ArchiveError> {
        for (path, target) in std::mem::take(&mut self.links) {
            let place = self.destination.join(&path);
            self.create_parent(&place)?;
            write_link(&target, &place).map_err(ArchiveError::write(&place))?;
            self.hasher.add(path, EntryKind::Link, Sha256Digest::of(target));
        }
        let files = self.hasher.len();
        Ok(Extracted {
            tree_hash: self.hasher.finish(),
            files,
            bytes: self.bytes,
        })
    }

    pub(super) fn refuse(&self, entry: &str, reason: impl Into<String>) -> ArchiveError {
        ArchiveError::Refused {
            path: self.archive.to_owned(),
            entry: entry.chars().take(200).collect(),
            reason: reason.into(),
        }
    }

    /// The entry's path with `/`, relative to the destination; `None` for the destination itself.
    fn checked_path(&self, name: &str) -> Result<Option<String>, ArchiveError> {
        if name.starts_with('/') {
            return Err(self.refuse(name, "has an absolute path"));
        }
        let parts: Vec<&str> = name
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        if let Some(reason) = parts.iter().find_map(|part| refused_name(part)) {
            return Err(self.refuse(name, format!("cannot be written: {reason}")));
        }
        if parts.len() > self.limits.depth {
            return Err(self.refuse(name, format!("is nested more than {} deep", self.limits.depth)));
        }
        Ok((!parts.is_empty()).then(|| parts.join("/")))
    }

    fn create_parent(&self, place: &Path) -> Result<(), ArchiveError> {
        place.parent().map_or(Ok(()), |folder| self.create_folder(folder))
    }

    fn create_folder(&self, place: &Path) -> Result<(), ArchiveError> {
        fs_err::create_dir_all(place).map_err(ArchiveError::write(place))
    }

    fn write_file(
        &mut self,
        entry: &str,
        place: &Path,
        executable: bool,
        content: &mut dyn Read,
    ) -> Result<Sha256Digest, ArchiveError> {
        let failed = ArchiveError::write(place);
        // A second entry of the same name must not replace the first.
        let mut file = fs_err::File::create_new(place).map_err(&failed)?;
        let mut hasher = Sha256Hasher::default();
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ArchiveError::read(self.archive)(error)),
            };
            self.bytes += count as u64;
            if self.bytes > self.byte_limit {
                let limit = self.byte_limit;
                return Err(self.refuse(
                    entry,
                    format!("makes it more than {limit} bytes, far more than its size"),
                ));
            }
            hasher.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(&failed)?;
        }
        if executable {
            make_executable(&file).map_err(&failed)?;
        }
        Ok(hasher.finish())
    }
}
