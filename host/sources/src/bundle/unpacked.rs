//! A bundle on its way into the store.
use super::{BundleError, BundledCrate, BundledModel, BundledSource, Index};
use crate::{
    archive::{ArchiveFormat, ArchiveLimits, extract},
    git::Commit,
    lock::Lock,
    source::{ResolvedSource, SourceCommit, source_in},
    store::{CommitRecord, Staging, Store, TREE},
    tree::{EntryKind, visit},
    weights::link,
};
use fs_err as fs;
use modelzoo_base::Sha256Digest;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

/// A bundle all of whose pieces are what they should be. Nobody sees them until they are published.
#[derive(Debug)]
pub struct UnpackedBundle {
    path: PathBuf,
    index: Index,
    lock: Lock,
    /// The bundle's hash, unless it was told from elsewhere: then what it says is the word of whoever made it.
    word_of: Option<Sha256Digest>,
    staging: Staging,
}

impl UnpackedBundle {
    /// Extracts the trees and crates among the pieces in `staging`.
    pub(super) fn new(
        path: &Path,
        index: Index,
        word_of: Option<Sha256Digest>,
        staging: Staging,
    ) -> Result<Self, BundleError> {
        let lock = Lock::parse(&index.lock, path).map_err(|error| BundleError::Damaged {
            path: path.to_owned(),
            reason: format!("its lock: {error}"),
        })?;
        let unpacked = Self {
            path: path.to_owned(),
            index,
            lock,
            word_of,
            staging,
        };
        for source in &unpacked.index.sources {
            let extracted = unpacked.extract(source.tree, ArchiveFormat::Tar, &unpacked.tree(source))?;
            if extracted != source.tree_hash {
                return Err(unpacked.refused(format!("the tree of {} is another one", source.reference)));
            }
        }
        for source in &unpacked.index.sources {
            unpacked.extract_crates(source)?;
        }
        Ok(unpacked)
    }

    /// What is in it.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What its sources resolved to where it was made.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Its sources, as they are before they are published.
    ///
    /// # Errors
    /// When one is no source, or its commit has other files as far as `store` knows.
    pub fn sources(&self, store: &Store) -> Result<Vec<ResolvedSource>, BundleError> {
        let sources = self.index.sources.iter();
        sources
            .map(|source| {
                let record = self.record(source)?;
                let known = store.commit_record(&record.identity, &record.commit);
                // Against the word of a bundle stands only what is known better: what was fetched, or another one's word.
                let is_contradiction = known.is_some_and(|known| {
                    known.tree_hash != record.tree_hash && (known.bundle.is_none() || self.word_of.is_some())
                });
                if is_contradiction {
                    return Err(self.refused(format!(
                        "its files of {} are not those that this commit is known to have",
                        source.reference
                    )));
                }
                let resolved = self.resolve(source, self.tree(source))?;
                self.check_models(source, &resolved, store)?;
                Ok(resolved)
            })
            .collect()
    }

    /// Makes sure that what the bundle has of models contradicts nothing that is known of them.
    fn check_models(
        &self,
        source: &BundledSource,
        resolved: &ResolvedSource,
        store: &Store,
    ) -> Result<(), BundleError> {
        for BundledModel { name, files } in &source.models {
            let declared = resolved.select(Some(name)).ok();
            let is_open = declared.is_some_and(|(manifest, entry)| {
                let manager = entry.manager.as_ref();
                manifest.published.is_none() && manager.is_none_or(|manager| manager.sha256.is_none())
            });
            if !is_open {
                let reason = format!(
                    "{} says itself what the weights of {name} must be",
                    source.reference
                );
                return Err(self.refused(reason));
            }
            let identity = source.reference.identity();
            if store.model_dir(&identity, name).exists() && store.model_files(&identity, name)? != *files {
                return Err(self.refused(format!("the store has other weights of {name}")));
            }
        }
        Ok(())
    }

    /// Makes all of it a part of `store`, the sources last. Gives them as they are there.
    ///
    /// # Errors
    /// When the store cannot be written to.
    pub fn publish(self, store: &Store) -> Result<Vec<ResolvedSource>, BundleError> {
        let prebuilt = self.index.prebuilt.iter().map(|prebuilt| prebuilt.sha256);
        for sha256 in self.index.contents.iter().copied().chain(prebuilt) {
            store.keep_content(&self.piece(sha256), &sha256)?;
        }
        for prebuilt in &self.index.prebuilt {
            store.record_download(&prebuilt.url, prebuilt.sha256, prebuilt.signature.as_deref())?;
        }
        let mut sources = Vec::new();
        for source in &self.index.sources {
            self.publish_models(source, store)?;
            self.publish_crates(source, store)?;
            sources.push(self.publish_source(source, store)?);
        }
        Ok(sources)
    }

    fn publish_models(&self, source: &BundledSource, store: &Store) -> Result<(), BundleError> {
        for model in &source.models {
            let staging = store.stage()?;
            for (path, sha256) in &model.files {
                let place = staging.path().join(path);
                link(&self.piece(*sha256), &place).map_err(BundleError::write(&place))?;
            }
            store.publish_model(&staging, &source.reference.identity(), &model.name)?;
        }
        Ok(())
    }

    fn publish_crates(&self, source: &BundledSource, store: &Store) -> Result<(), BundleError> {
        for one in &source.crates {
            store.publish_crate(&self.crate_folder(one), &one.sha256)?;
        }
        Ok(store.record_crates(&source.tree_hash, source.crates.iter().map(|one| one.sha256))?)
    }

    fn publish_source(&self, source: &BundledSource, store: &Store) -> Result<ResolvedSource, BundleError> {
        let staging = store.stage()?;
        let tree = staging.path().join(TREE);
        // Two sources of one repository have one tree.
        if fs::rename(self.tree(source), &tree).is_ok() {
            store.publish_source(&staging, &source.tree_hash)?;
        }
        let record = self.record(source)?;
        for revision in &source.revisions {
            let commit = Commit {
                id: source.commit.clone(),
                ref_name: revision.ref_name.clone(),
                subdirectory: revision.subdirectory.clone(),
            };
            store.record_revision(&record.identity, &revision.revision, &commit)?;
        }
        // What was fetched is known better than by the word of a bundle.
        if store
            .commit_record(&record.identity, &record.commit)
            .is_none_or(|known| known.bundle.is_some())
        {
            store.record_commit(&record)?;
        }
        self.resolve(source, store.tree_path(&source.tree_hash))
    }

    fn record(&self, source: &BundledSource) -> Result<CommitRecord, BundleError> {
        let identity = source.identity();
        Ok(CommitRecord {
            identity: identity.ok_or_else(|| self.refused(format!("{} is a path", source.reference)))?,
            commit: source.commit.clone(),
            tree_hash: source.tree_hash,
            committed_at: source.committed_at,
            omissions: source.omissions.clone(),
            bundle: self.word_of,
        })
    }

    fn resolve(&self, source: &BundledSource, root: PathBuf) -> Result<ResolvedSource, BundleError> {
        let asked = source.reference.revision().as_str().unwrap_or_default();
        let revision = source
            .revisions
            .iter()
            .find(|revision| revision.revision == asked);
        let commit = SourceCommit {
            id: source.commit.clone(),
            ref_name: revision.and_then(|revision| revision.ref_name.clone()),
            committed_at: source.committed_at,
        };
        Ok(source_in(&source.reference, root, &self.record(source)?, commit)?)
    }

    /// Extracts a piece; gives the hash of the tree.
    fn extract(
        &self,
        piece: Sha256Digest,
        format: ArchiveFormat,
        folder: &Path,
    ) -> Result<Sha256Digest, BundleError> {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(BundleError::write(folder))?;
        }
        let extracted = extract(&self.piece(piece), format, folder, &ArchiveLimits::default());
        Ok(extracted.map_err(BundleError::content(&self.path))?.tree_hash)
    }

    /// Extracts the crates of a source. By the word of a bundle alone they are only taken where the source itself says what
    /// they must be: else somebody could let code that was allowed be built of other code.
    fn extract_crates(&self, source: &BundledSource) -> Result<(), BundleError> {
        let pinned = match self.word_of {
            Some(_) => Some(pins_below(&self.tree(source)).map_err(BundleError::read(&self.path))?),
            None => None,
        };
        for one in &source.crates {
            if pinned
                .as_ref()
                .is_some_and(|pinned| !pinned.contains(&one.sha256))
            {
                return Err(BundleError::Unpinned {
                    path: self.path.clone(),
                    source_spelling: source.reference.to_string(),
                    name: one.folder_name(),
                });
            }
            self.extract_crate(one)?;
        }
        Ok(())
    }

    /// Extracts a crate as cargo finds it: with the hash of the file that it came in.
    fn extract_crate(&self, one: &BundledCrate) -> Result<(), BundleError> {
        let (name, folder) = (one.folder_name(), self.crate_folder(one));
        if folder.exists() {
            return Ok(());
        }
        let arrival = self.staging.path().join("crate");
        self.extract(one.sha256, ArchiveFormat::TarGz, &arrival)?;
        let mut entries = fs::read_dir(&arrival).map_err(BundleError::read(&arrival))?;
        let only = entries
            .next()
            .and_then(Result::ok)
            .filter(|_| entries.next().is_none());
        if only.is_none_or(|only| *only.file_name() != *name) {
            return Err(self.refused(format!("what it calls the crate {name} is another one")));
        }
        let failed = BundleError::write(&folder);
        fs::create_dir_all(folder.parent().unwrap_or(&folder)).map_err(&failed)?;
        fs::rename(arrival.join(&name), &folder).map_err(&failed)?;
        // Cargo compares it with Cargo.lock; the files were compared as a whole.
        let checksum = serde_json::json!({ "files": {}, "package": one.sha256 });
        fs::write(folder.join(".cargo-checksum.json"), checksum.to_string()).map_err(failed)
    }

    fn piece(&self, sha256: Sha256Digest) -> PathBuf {
        self.staging.path().join("pieces").join(sha256.to_string())
    }

    fn tree(&self, source: &BundledSource) -> PathBuf {
        self.staging
            .path()
            .join("trees")
            .join(source.tree_hash.to_string())
    }

    fn crate_folder(&self, one: &BundledCrate) -> PathBuf {
        self.staging.path().join("crates").join(one.sha256.to_string())
    }

    fn refused(&self, reason: String) -> BundleError {
        BundleError::Refused {
            path: self.path.clone(),
            reason,
        }
    }
}

/// The hashes that the `Cargo.lock` files in a tree say.
fn pins_below(tree: &Path) -> io::Result<BTreeSet<Sha256Digest>> {
    #[derive(Deserialize)]
    struct CargoLock {
        #[serde(default, rename = "package")]
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        checksum: Option<Sha256Digest>,
    }
    let mut pins = BTreeSet::new();
    visit(tree, "", &|_| false, &mut |path, kind, place| {
        if kind != EntryKind::Link && path.rsplit('/').next() == Some("Cargo.lock") {
            // What is wrong with a lock file is told by who builds.
            let lock = toml::from_str::<CargoLock>(&fs::read_to_string(place)?);
            let packages = lock.map(|lock| lock.packages).unwrap_or_default();
            pins.extend(packages.iter().filter_map(|package| package.checksum));
        }
        Ok(())
    })?;
    Ok(pins)
}
