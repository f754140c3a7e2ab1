//! What is below a URL.

use crate::{
    connect::store,
    error::StorageError,
    location::{Location, Service, is_url},
    runtime::wait_for,
};
use futures_util::{StreamExt as _, stream::BoxStream};
use object_store::{ObjectMeta, ObjectStore as _, path::Path as Key};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// So many names come to the caller at once.
const CHUNK: usize = 1000;

type Chunks = BoxStream<'static, Vec<object_store::Result<ObjectMeta>>>;

/// The URLs below `folder`, at any depth, in the order of the store: that of their bytes in S3, Google's and Azure's. They
/// come as the store tells them, so there may be any number. After an error there are no more.
///
/// # Errors
/// The web has no lists, and a URL may be malformed.
pub fn list(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<PathBuf>> + Send + use<>> {
    let (root, location, prefix) = parts(folder)?;
    let chunks = store(&location)?
        .list(prefix.as_ref())
        .ready_chunks(CHUNK)
        .boxed();
    Ok(Listing {
        root,
        chunks: Some(chunks),
        told: Vec::new().into_iter(),
    })
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
    let found = wait_for(async move { Ok(store.list_with_delimiter(prefix.as_ref()).await?.objects) })?;
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
    /// What is still to come.
    chunks: Option<Chunks>,
    told: std::vec::IntoIter<object_store::Result<ObjectMeta>>,
}

impl Iterator for Listing {
    type Item = io::Result<PathBuf>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.told.next() {
                Some(Ok(object)) => {
                    return Some(Ok(PathBuf::from(format!("{}{}", self.root, object.location))));
                }
                Some(Err(error)) => {
                    self.chunks = None;
                    self.told = Vec::new().into_iter();
                    return Some(Err(StorageError::from(error).into()));
                }
                None => {}
            }
            let mut chunks = self.chunks.take()?;
            let next = wait_for(async move {
                let told = chunks.next().await;
                Ok((told, chunks))
            });
            match next {
                Ok((Some(told), chunks)) => {
                    self.told = told.into_iter();
                    self.chunks = Some(chunks);
                }
                Ok((None, _)) => return None,
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}
