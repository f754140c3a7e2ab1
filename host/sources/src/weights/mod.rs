//! Weights in the store: each file once by its content, and a folder for each model that leads to its files.
//!
//! ```text
//! weights/<sha256>                       a file; read-only
//! models/<hash of identity>/<model>/     the files of a model under the names it wants, as links to those (or copies)
//! models/<hash>/<model>%files.json       their digests, so that they need not be read each time
//! ```
//!
//! Models are apart from the code of their source, so that an update of it never deletes them, and two models with the
//! same file have it once. What a model consists of is only decided by its plugin: it is filled in a
//! [staging folder](Store::stage) and published as a whole, so a folder that is there is complete.
mod link;
mod place;

use crate::{
    download::{DownloadError, Downloaded, Downloader, Request},
    manifest::ModelEntry,
    reference::ARCHIVE_SUFFIXES,
    store::{Staging, Store, StoreError, stamp},
    tree::{EntryKind, visit},
};
use link::make_read_only;
use modelzoo_base::{
    Sha256Digest, file,
    progress::{Cancellation, Event, Observer},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

pub(crate) use link::link;
pub use place::WeightsPlace;

/// The digests of a model's files, and the stamp by which a change of one would be noticed.
#[derive(Serialize, Deserialize)]
struct Known {
    stamp: Sha256Digest,
    files: BTreeMap<String, Sha256Digest>,
}

impl Store {
    /// Downloads a file into the store, unless it is there, and puts it at the request's destination.
    ///
    /// A download that was killed is continued by the next one for the same URLs, wherever its destination is. Without a
    /// digest in the request, nothing tells that the store has the file, and it is downloaded.
    ///
    /// # Errors
    /// As [`Downloader::fetch`].
    pub fn fetch_weights(
        &self,
        downloader: &Downloader,
        request: &Request,
        observer: &dyn Observer,
        cancellation: &Cancellation,
    ) -> Result<Downloaded, DownloadError> {
        if let Some(there) = self.stored(request)? {
            observer.notice(Event::Over);
            return Ok(there);
        }
        // The same place for all that want the same, so that they share one download.
        let place = Sha256Digest::of(request.urls.join("\n")).short();
        let name = request.destination.file_name().unwrap_or("weights".as_ref());
        let arrival = self.temporary_dir().join(format!("download-{place}")).join(name);
        let arriving = Request {
            destination: arrival,
            ..request.clone()
        };
        let downloaded = downloader.fetch(&arriving, observer, cancellation)?;
        let stored = self.weights_path(&downloaded.sha256);
        self.keep(&downloaded.path, &stored)
            .map_err(|error| failed("store", &stored, error))?;
        link(&stored, &request.destination).map_err(|error| failed("write", &request.destination, error))?;
        Ok(Downloaded {
            path: request.destination.clone(),
            ..downloaded
        })
    }

    /// The folder of a model (`name[@version]`) of the source `identity`. It is there when all of the model is.
    pub fn model_dir(&self, identity: &str, model: &str) -> PathBuf {
        let source = Sha256Digest::of(identity).short();
        self.root().join("models").join(source).join(file_name(model))
    }

    /// The file or folder that the plugin is given as the weights of a model, if they are there: its `base_filename`.
    /// Where an archive was extracted and not kept, what bears its name without the ending, or else all that was in it.
    pub(crate) fn model_path(&self, identity: &str, model: &ModelEntry) -> Option<PathBuf> {
        let folder = self.model_dir(identity, &model.name());
        if !folder.exists() {
            return None;
        }
        let name = model.weights_name();
        let named = folder.join(name);
        let is_extracted = model
            .manager
            .as_ref()
            .is_some_and(|manager| manager.extract_archive);
        if !is_extracted || named.exists() {
            return Some(named);
        }
        let stem = ARCHIVE_SUFFIXES
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .map(|stem| folder.join(stem));
        Some(stem.filter(|stem| stem.exists()).unwrap_or(folder))
    }

    /// Makes what `staging` holds the folder of a model, in place of any that is there. Each file is put into the store by
    /// its content; gives their digests by path. Of several processes that do the same, one wins.
    ///
    /// # Errors
    /// The store cannot be read or written to.
    pub fn publish_model(
        &self,
        staging: &Staging,
        identity: &str,
        model: &str,
    ) -> Result<BTreeMap<String, Sha256Digest>, StoreError> {
        let files = hash_files(staging.path()).map_err(StoreError::write(staging.path()))?;
        for (path, digest) in &files {
            let (file, stored) = (staging.path().join(path), self.weights_path(digest));
            self.keep(&file, &stored).map_err(StoreError::write(&stored))?;
            // The same content may be there already: then this copy of it is given up.
            link(&stored, &file).map_err(StoreError::write(&file))?;
        }
        let folder = self.model_dir(identity, model);
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent).map_err(StoreError::write(parent))?;
        }
        // What is there and the same stays: another process may be about to open it.
        if staging.publish("", &folder)?
            || self
                .model_files(identity, model)
                .is_ok_and(|there| there == files)
        {
            return Ok(files);
        }
        self.remove(&folder)?;
        staging.publish("", &folder)?;
        Ok(files)
    }

    /// Removes the folder of a model; false when there was none. Its files stay in the store until they are collected.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub fn remove_model(&self, identity: &str, model: &str) -> Result<bool, StoreError> {
        let folder = self.model_dir(identity, model);
        let was_there = folder.exists();
        self.remove(&folder)?;
        Ok(was_there)
    }

    /// The digests of the files of a model by their path in its folder. Files that were hashed before are not read again,
    /// unless something about them changed.
    ///
    /// # Errors
    /// The folder, or a file in it, cannot be read.
    pub fn model_files(
        &self,
        identity: &str,
        model: &str,
    ) -> Result<BTreeMap<String, Sha256Digest>, StoreError> {
        let folder = self.model_dir(identity, model);
        let failed = StoreError::read(&folder);
        // No model's folder has such a name.
        let record = folder.with_file_name(format!("{}%files.json", file_name(model)));
        let now = stamp(&folder).map_err(&failed)?;
        let known = std::fs::read(&record)
            .ok()
            .and_then(|json| serde_json::from_slice::<Known>(&json).ok());
        if let Some(known) = known.filter(|known| Some(known.stamp) == now) {
            return Ok(known.files);
        }
        let files = hash_files(&folder).map_err(failed)?;
        if let Some(stamp) = now {
            let known = serde_json::to_vec(&Known {
                stamp,
                files: files.clone(),
            });
            // Without the record the files are hashed again next time, no more.
            if let Err(error) = known
                .map_err(io::Error::other)
                .and_then(|json| file::write(&record, json))
            {
                tracing::debug!("cannot write {}: {error}", record.display());
            }
        }
        Ok(files)
    }

    /// Puts a file with the hash `sha256` into the store.
    ///
    /// # Errors
    /// The store cannot be written to.
    pub(crate) fn keep_content(&self, file: &Path, sha256: &Sha256Digest) -> Result<(), StoreError> {
        let stored = self.weights_path(sha256);
        self.keep(file, &stored).map_err(StoreError::write(&stored))
    }

    /// The request's file from the store, at its destination, if the store has it whole.
    pub(crate) fn stored(&self, request: &Request) -> Result<Option<Downloaded>, DownloadError> {
        let Some(sha256) = request.sha256 else {
            return Ok(None);
        };
        let stored = self.weights_path(&sha256);
        let Ok(metadata) = std::fs::metadata(&stored) else {
            return Ok(None);
        };
        if !metadata.is_file() {
            return Ok(None);
        }
        if Sha256Digest::of_file(&stored).is_ok_and(|found| found == sha256) {
            link(&stored, &request.destination)
                .map_err(|error| failed("write", &request.destination, error))?;
            self.mark_used(&stored);
            let path = request.destination.clone();
            return Ok(Some(Downloaded {
                path,
                sha256,
                size: metadata.len(),
                url: None,
            }));
        }
        // Damaged: the download replaces it.
        tracing::warn!("{} was damaged and is downloaded again", stored.display());
        std::fs::remove_file(&stored).map_err(|error| failed("remove", &stored, error))?;
        Ok(None)
    }

    /// Puts `file` into the store as `stored`, unless it has it.
    fn keep(&self, file: &Path, stored: &Path) -> io::Result<()> {
        if stored.exists() {
            self.mark_used(stored);
            return Ok(());
        }
        link(file, stored)?;
        make_read_only(stored)
    }
}

/// The digests of all files below `folder` by their path, with `/`. Links lead out of what is meant, and are left out.
fn hash_files(folder: &Path) -> io::Result<BTreeMap<String, Sha256Digest>> {
    let mut files = BTreeMap::new();
    visit(folder, "", &|_| false, &mut |path, kind, place| {
        if kind != EntryKind::Link {
            files.insert(path, Sha256Digest::of_file(place)?);
        }
        Ok(())
    })?;
    Ok(files)
}

/// A model's name as a file name: what a file system might read as something else is written as `%XX`.
fn file_name(model: &str) -> String {
    let is_plain = |(index, byte): (usize, u8)| match byte {
        b'.' => index > 0,
        _ => byte.is_ascii_alphanumeric() || b"-_@+".contains(&byte),
    };
    model
        .bytes()
        .enumerate()
        .map(|(index, byte)| {
            if is_plain((index, byte)) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> DownloadError {
    DownloadError::file(action, path, source, None)
}

#[cfg(test)]
mod tests;
