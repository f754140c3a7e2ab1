//! Making a bundle.
use super::{
    BundleError, BundledCrate, BundledModel, BundledPrebuilt, BundledRevision, BundledSource, Index, Piece,
    index::VERSION,
};
use crate::{
    SourceRef,
    archive::{append, header},
    lock::Lock,
    store::{CommitRecord, Staging, Store},
    tree::visit,
};
use fs_err as fs;
use modelzoo_base::{
    Sha256Digest,
    file::{folder_of, temporary_file},
    progress::{Cancellation, Event, Observer},
};
use semver::Version;
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// A bundle in the making.
#[derive(Debug)]
pub struct BundleWriter {
    staging: Staging,
    index: Index,
    /// Where the content of each piece is.
    places: BTreeMap<Sha256Digest, PathBuf>,
}

/// A bundle that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenBundle {
    /// The SHA-256 of the file: who gets it by another way than the file knows that it is this one.
    pub sha256: Sha256Digest,
    /// Its size.
    pub size_bytes: u64,
    /// What is in it.
    pub index: Index,
}

impl BundleWriter {
    /// Begins a bundle. What has to be prepared for it lies in `store` meanwhile.
    ///
    /// # Errors
    /// When the store cannot be written to.
    pub fn new(store: &Store) -> Result<Self, BundleError> {
        Ok(Self {
            staging: store.stage()?,
            index: Index {
                modelzoo_bundle: VERSION,
                ..Index::default()
            },
            places: BTreeMap::new(),
        })
    }

    /// Adds a source whose files are in the folder `root`, and which `record` describes. A source that is there is not
    /// added again.
    ///
    /// # Errors
    /// When a file cannot be read, or the store not be written to.
    pub fn add_source(
        &mut self,
        reference: &SourceRef,
        record: CommitRecord,
        mut revisions: Vec<BundledRevision>,
        root: &Path,
    ) -> Result<(), BundleError> {
        if self.source(reference).is_some() {
            return Ok(());
        }
        let archive = self.staging.path().join(format!("{}.tar", record.tree_hash));
        write_tree(root, &archive)?;
        let tree = self.add_piece(archive)?;
        revisions.sort();
        revisions.dedup();
        self.index.sources.push(BundledSource {
            reference: reference.clone(),
            commit: record.commit,
            committed_at: record.committed_at,
            omissions: record.omissions,
            revisions,
            tree_hash: record.tree_hash,
            tree,
            models: Vec::new(),
            crates: Vec::new(),
        });
        Ok(())
    }

    /// Adds the files of a model of a source that was added before: by their path in the folder `folder`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn add_model(
        &mut self,
        reference: &SourceRef,
        name: &str,
        folder: &Path,
        files: &BTreeMap<String, Sha256Digest>,
    ) -> Result<(), BundleError> {
        let mut found = BTreeMap::new();
        for path in files.keys() {
            found.insert(path.clone(), self.add_piece(folder.join(path))?);
        }
        let model = BundledModel {
            name: name.to_owned(),
            files: found,
        };
        if let Some(source) = self.source(reference)
            && !source.models.contains(&model)
        {
            source.models.push(model);
        }
        Ok(())
    }

    /// Adds weights whose hash their source knows.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn add_content(&mut self, file: PathBuf) -> Result<(), BundleError> {
        let sha256 = self.add_piece(file)?;
        self.index.contents.insert(sha256);
        Ok(())
    }

    /// Adds the archive of a plugin that its author compiled, with the signature that was beside it.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub fn add_prebuilt(
        &mut self,
        url: &str,
        archive: &Path,
        signature: Option<String>,
    ) -> Result<(), BundleError> {
        // The caller's copy is gone before the bundle is written.
        let own = self
            .staging
            .path()
            .join(format!("prebuilt-{}", self.index.prebuilt.len()));
        fs::copy(archive, &own).map_err(BundleError::write(&own))?;
        let sha256 = self.add_piece(own)?;
        self.index.prebuilt.push(BundledPrebuilt {
            url: url.to_owned(),
            sha256,
            signature,
        });
        Ok(())
    }

    /// Adds a package of crates.io, of which a source that was added before is built: the file as crates.io has it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn add_crate(
        &mut self,
        reference: &SourceRef,
        name: &str,
        version: Version,
        file: PathBuf,
    ) -> Result<(), BundleError> {
        let one = BundledCrate {
            name: name.to_owned(),
            version,
            sha256: self.add_piece(file)?,
        };
        if let Some(source) = self.source(reference) {
            source.crates.push(one);
        }
        Ok(())
    }

    /// Writes the bundle, with what its sources resolved to. It is there whole or not at all.
    ///
    /// # Errors
    /// When a piece cannot be read, or the bundle not be written.
    pub fn write(
        mut self,
        bundle: &Path,
        lock: &Lock,
        observer: &dyn Observer,
        cancellation: &Cancellation,
    ) -> Result<WrittenBundle, BundleError> {
        self.finish_index(lock)?;
        let failed = BundleError::write(bundle);
        let text = serde_json::to_vec_pretty(&self.index).map_err(|error| failed(error.into()))?;
        let (_registered, mut file) = temporary_file(folder_of(bundle), ".tmp").map_err(&failed)?;
        let mut tar = tar::Builder::new(io::BufWriter::new(&mut file));
        let name = format!("index-{}.json", Sha256Digest::of(&text));
        tar.append_data(&mut header(text.len() as u64), name, text.as_slice())
            .map_err(&failed)?;
        let (mut done, total) = (0, self.index.size_bytes());
        for piece in &self.index.pieces {
            // Each was added with its place.
            let Some(place) = self.places.get(&piece.sha256) else {
                continue;
            };
            let content = Reported {
                content: fs::File::open(place).map_err(BundleError::read(place))?,
                cancellation,
                report: &mut |bytes| {
                    done += bytes;
                    observer.notice(Event::Saving {
                        file: bundle,
                        done,
                        total,
                    });
                },
            };
            let added = tar.append_data(
                &mut header(piece.size_bytes),
                format!("pieces/{}", piece.sha256),
                content,
            );
            added.map_err(|error| match cancellation.is_cancelled() {
                true => BundleError::Cancelled {
                    path: bundle.to_owned(),
                },
                false => failed(error),
            })?;
        }
        tar.into_inner()
            .and_then(|mut buffer| buffer.flush())
            .map_err(&failed)?;
        file.as_file().sync_all().map_err(&failed)?;
        let sha256 = Sha256Digest::of_file(file.path()).map_err(&failed)?;
        let size_bytes = file.as_file().metadata().map_err(&failed)?.len();
        file.persist(bundle).map_err(|error| failed(error.error))?;
        Ok(WrittenBundle {
            sha256,
            size_bytes,
            index: self.index,
        })
    }

    /// Sorts all that is in the index, and lists the pieces.
    fn finish_index(&mut self, lock: &Lock) -> Result<(), BundleError> {
        let index = &mut self.index;
        index
            .sources
            .sort_by_cached_key(|source| source.reference.to_string());
        for source in &mut index.sources {
            source.models.sort_by(|a, b| a.name.cmp(&b.name));
            source.crates.sort();
            source.crates.dedup();
        }
        index.prebuilt.sort();
        index.prebuilt.dedup();
        index.lock = lock.to_toml();
        for sha256 in index.needed() {
            if let Some(place) = self.places.get(&sha256) {
                let size_bytes = fs::metadata(place).map_err(BundleError::read(place))?.len();
                index.pieces.push(Piece { sha256, size_bytes });
            }
        }
        Ok(())
    }

    fn source(&mut self, reference: &SourceRef) -> Option<&mut BundledSource> {
        let mut sources = self.index.sources.iter_mut();
        sources.find(|source| source.reference == *reference)
    }

    fn add_piece(&mut self, place: PathBuf) -> Result<Sha256Digest, BundleError> {
        let sha256 = Sha256Digest::of_file(&place).map_err(BundleError::read(&place))?;
        self.places.insert(sha256, place);
        Ok(sha256)
    }
}

/// Writes all files of the tree in `root` into the tar archive `archive`, in the order of their paths.
fn write_tree(root: &Path, archive: &Path) -> Result<(), BundleError> {
    let mut entries = Vec::new();
    visit(root, "", &|_| false, &mut |path, kind, place| {
        entries.push((path, kind, place.to_owned()));
        Ok(())
    })
    .map_err(BundleError::read(root))?;
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let failed = BundleError::write(archive);
    let file = fs::File::create(archive).map_err(&failed)?;
    let mut tar = tar::Builder::new(io::BufWriter::new(file));
    for (path, kind, place) in entries {
        append(&mut tar, &path, kind, &place).map_err(&failed)?;
    }
    tar.into_inner()
        .and_then(|mut buffer| buffer.flush())
        .map_err(failed)
}

/// A content that says how much of it was read.
struct Reported<'a> {
    content: fs::File,
    cancellation: &'a Cancellation,
    report: &'a mut dyn FnMut(u64),
}

impl Read for Reported<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancellation.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        let count = self.content.read(buffer)?;
        (self.report)(count as u64);
        Ok(count)
    }
}
