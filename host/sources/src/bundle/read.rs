//! Reading a bundle: first what is in it, then all of its pieces, into a place where nobody looks yet.
use super::{
    BundleError, Index, UnpackedBundle,
    index::{LARGEST_INDEX, Piece},
};
use crate::store::Store;
use fs_err as fs;
use modelzoo_base::{
    Sha256Digest,
    digest::Sha256Hasher,
    progress::{Cancellation, Event, Observer},
};
use std::{
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

/// What a header or the end of a tar archive is a multiple of.
const BLOCK: u64 = 512;

/// A bundle whose index was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    path: PathBuf,
    /// The SHA-256 of the file, where it was told and is right.
    vouched: Option<Sha256Digest>,
    index: Index,
}

impl Bundle {
    /// Reads what is in the bundle `path`. `expected` is the SHA-256 of the file, where it is known from elsewhere.
    ///
    /// # Errors
    /// When it cannot be read, is no bundle or another one, or is incomplete.
    pub fn open(path: &Path, expected: Option<Sha256Digest>) -> Result<Self, BundleError> {
        let failed = BundleError::read(path);
        if let Some(expected) = expected {
            let found = Sha256Digest::of_file(path).map_err(&failed)?;
            if found != expected {
                return Err(BundleError::Other {
                    path: path.to_owned(),
                    expected,
                    found,
                });
            }
        }
        let file = fs::File::open(path).map_err(&failed)?;
        let length = file.metadata().map_err(&failed)?.len();
        let not_one = || BundleError::NotABundle {
            path: path.to_owned(),
        };
        let mut archive = tar::Archive::new(io::BufReader::new(file));
        let mut entries = archive.entries().map_err(&failed)?;
        let mut first = entries.next().and_then(Result::ok).ok_or_else(not_one)?;
        let name = String::from_utf8_lossy(&first.path_bytes()).into_owned();
        let digest = name
            .strip_prefix("index-")
            .and_then(|name| name.strip_suffix(".json"))
            .and_then(|digest| digest.parse::<Sha256Digest>().ok())
            .ok_or_else(not_one)?;
        if first.size() > LARGEST_INDEX {
            return Err(not_one());
        }
        let mut text = Vec::new();
        first.read_to_end(&mut text).map_err(&failed)?;
        let damaged = |reason: &str| BundleError::Damaged {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        if text.len() as u64 != first.size() {
            return Err(damaged("it ends in the middle of its index"));
        }
        if Sha256Digest::of(&text) != digest {
            return Err(damaged("its index was changed"));
        }
        let index = Index::parse(&text, path)?;
        let pieces = index.pieces.iter().map(|piece| piece.size_bytes);
        let whole = std::iter::once(text.len() as u64)
            .chain(pieces)
            .try_fold(2 * BLOCK, |sum: u64, size| {
                sum.checked_add(BLOCK)?
                    .checked_add(size.checked_next_multiple_of(BLOCK)?)
            });
        match whole {
            Some(whole) if length < whole => {
                Err(damaged(&format!("{} bytes of it are missing", whole - length)))
            }
            Some(whole) if length == whole => Ok(Self {
                path: path.to_owned(),
                vouched: expected,
                index,
            }),
            _ => Err(damaged("it goes on after its end")),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Reads all of it and compares it with its hashes. Nothing of it is to be seen in `store` yet.
    ///
    /// # Errors
    /// When a piece is not what the index says, or must not be; or the store cannot be written to.
    pub fn unpack(
        &self,
        store: &Store,
        observer: &dyn Observer,
        cancellation: &Cancellation,
    ) -> Result<UnpackedBundle, BundleError> {
        let staging = store.stage()?;
        let folder = staging.path().join("pieces");
        fs::create_dir(&folder).map_err(BundleError::write(&folder))?;
        let failed = BundleError::read(&self.path);
        let file = fs::File::open(&self.path).map_err(&failed)?;
        let mut archive = tar::Archive::new(io::BufReader::new(file));
        let mut entries = archive.entries().map_err(&failed)?.skip(1);
        let (mut done, total) = (0, self.index.size_bytes());
        for piece in &self.index.pieces {
            let entry = entries.next().transpose().map_err(&failed)?;
            let mut entry = entry.ok_or_else(|| self.damaged(piece, "is missing"))?;
            if *entry.path_bytes() != *format!("pieces/{}", piece.sha256).as_bytes()
                || entry.size() != piece.size_bytes
                || entry.header().entry_type() != tar::EntryType::Regular
            {
                return Err(self.damaged(piece, "is not where it should be"));
            }
            let place = folder.join(piece.sha256.to_string());
            let found = self.copy(&mut entry, &place, cancellation, &mut |bytes| {
                done += bytes;
                observer.notice(Event::Loading {
                    file: &self.path,
                    done,
                    total,
                });
            })?;
            if found != piece.sha256 {
                return Err(self.damaged(piece, "was changed"));
            }
        }
        let vouched = match self.vouched {
            Some(_) => None,
            None => Some(Sha256Digest::of_file(&self.path).map_err(&failed)?),
        };
        UnpackedBundle::new(&self.path, self.index.clone(), vouched, staging)
    }

    /// Writes a piece to its place; gives its hash.
    fn copy(
        &self,
        from: &mut impl Read,
        place: &Path,
        cancellation: &Cancellation,
        report: &mut dyn FnMut(u64),
    ) -> Result<Sha256Digest, BundleError> {
        let failed = BundleError::write(place);
        let mut file = fs::File::create_new(place).map_err(&failed)?;
        let mut hasher = Sha256Hasher::default();
        let mut buffer = vec![0; 128 * 1024];
        loop {
            if cancellation.is_cancelled() {
                return Err(BundleError::Cancelled {
                    path: self.path.clone(),
                });
            }
            let count = from.read(&mut buffer).map_err(BundleError::read(&self.path))?;
            if count == 0 {
                return Ok(hasher.finish());
            }
            hasher.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(&failed)?;
            report(count as u64);
        }
    }

    fn damaged(&self, piece: &Piece, what: &str) -> BundleError {
        BundleError::Damaged {
            path: self.path.clone(),
            reason: format!("its piece {} {what}", piece.sha256),
        }
    }
}
