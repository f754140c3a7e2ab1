//! What is below a URL.

use crate::{
    connect::store,
    error::{Cause, StorageError},
    location::{Location, Service, is_url},
    runtime::wait_for,
};
use futures_util::{StreamExt as _, stream::BoxStream};
use object_store::{ObjectMeta, ObjectStore, path::Path as Key};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// So many names come to the caller at once.
const CHUNK: usize = 1000;
/// How often a list that was cut off is asked for again without anything coming of it.
const MOST_ATTEMPTS: u32 = 5;

type Chunks = BoxStream<'static, Vec<object_store::Result<ObjectMeta>>>;

/// The URLs below `folder`, at any depth, in the order of the store: that of their bytes in S3, Google's and Azure's. They
/// come as the store tells them, so there may be any number. After an error there are no more.
///
/// # Errors
/// The web has no lists, and a URL may be malformed.
pub fn list(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<PathBuf>> + Send + use<>> {
    let (root, location, prefix) = parts(folder)?;
    let mut listing = Listing {
        root,
        store: store(&location)?,
        prefix,
        last: None,
        attempts: 0,
        chunks: None,
        told: Vec::new().into_iter(),
    };
    listing.ask();
    Ok(listing)
}

/// What lies in a folder or directly below a URL, in no order; folders in it may be among it.
///
/// # Errors
/// It cannot be read.
pub fn list_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !is_url(folder) {
        return fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    }
    let (root, location, prefix) = parts(folder)?;
    let store = store(&location)?;
    let found = wait_for(async move {
        let mut attempts = 0;
        loop {
            match store
                .list_with_delimiter(prefix.as_ref())
                .await
                .map_err(StorageError::from)
            {
                Err(error) if error.cause() == Cause::Cut && attempts < MOST_ATTEMPTS => attempts += 1,
                found => return Ok(found?.objects),
            }
        }
    })?;
    let path = |object: ObjectMeta| PathBuf::from(format!("{root}{}", object.location));
    Ok(found.into_iter().map(path).collect())
}

/// The URL of the bucket, the location, and the part of names that all below it begin with.
fn parts(folder: &Path) -> Result<(String, Location, Option<Key>), StorageError> {
    let location = Location::parse(folder)?;
    if location.service == Service::Web {
        return Err(StorageError::invalid(
            "the web has no lists of what is below a URL; name a .txt file with a URL on each line",
        ));
    }
    let text = folder.to_string_lossy();
    let root = text.strip_suffix(&location.key).unwrap_or(&text);
    let root = format!("{}/", root.trim_end_matches('/'));
    let prefix = location.key.trim_end_matches('/');
    let prefix = match prefix.is_empty() {
        true => None,
        false => Some(Key::parse(prefix).map_err(|error| StorageError::invalid(error.to_string()))?),
    };
    Ok((root, location, prefix))
}

struct Listing {
    /// The URL of the bucket.
    root: String,
    store: Arc<dyn ObjectStore>,
    prefix: Option<Key>,
    /// What was told last.
    last: Option<Key>,
    /// How often a list was asked for again since something came.
    attempts: u32,
    /// What is still to come.
    chunks: Option<Chunks>,
    told: std::vec::IntoIter<object_store::Result<ObjectMeta>>,
}

impl Listing {
    /// Asks for what comes after what was told last.
    fn ask(&mut self) {
        let prefix = self.prefix.as_ref();
        let objects = match &self.last {
            None => self.store.list(prefix),
            Some(last) => self.store.list_with_offset(prefix, last),
        };
        self.chunks = Some(objects.ready_chunks(CHUNK).boxed());
    }

    /// What an error means: that the list is asked for again where it was cut off, or that there is no more of it.
    fn end(&mut self, error: StorageError) -> Option<StorageError> {
        self.told = Vec::new().into_iter();
        self.chunks = None;
        if error.cause() == Cause::Cut && self.attempts < MOST_ATTEMPTS {
            self.attempts += 1;
            self.ask();
            return None;
        }
        Some(error)
    }
}

impl Iterator for Listing {
    type Item = io::Result<PathBuf>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.told.next() {
                Some(Ok(object)) => {
                    let path = PathBuf::from(format!("{}{}", self.root, object.location));
                    self.last = Some(object.location);
                    self.attempts = 0;
                    return Some(Ok(path));
                }
                Some(Err(error)) => match self.end(error.into()) {
                    Some(error) => return Some(Err(error.into())),
                    None => continue,
                },
                None => {}
            }
            let mut chunks = self.chunks.take()?;
            let (told, chunks) = match wait_for(async move { Ok((chunks.next().await, chunks)) }) {
                Ok(told) => told,
                Err(error) => return Some(Err(error.into())),
            };
            self.told = told?.into_iter();
            self.chunks = Some(chunks);
        }
    }
}
