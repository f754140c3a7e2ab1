//! Reading, whole or in parts.

use crate::{
    connect::connect,
    error::{Cause, StorageError},
    location::{Location, is_url},
    runtime::wait_for,
};
use bytes::{Buf as _, Bytes};
use futures_util::{StreamExt as _, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, path::Path as Key};
use std::{
    fs::{self, File},
    io::{self, Read},
    ops::Range,
    path::Path,
    sync::Arc,
    time::Duration,
};

/// What is read whole is no longer than this: a stranger's URL may lead to anything.
const MOST_BYTES: u64 = 1 << 30;
/// How often a body that was cut off is asked for again without anything coming of it.
const MOST_ATTEMPTS: u32 = 5;
/// How often what cannot be asked for from where it was cut off is read anew.
const CUT_ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// What is passed over is read all the same unless it has so many bytes: asking anew takes about as long.
const LEAST_LEAP: u64 = 4 << 20;

/// Opens a file or a URL to be read from its beginning.
///
/// # Errors
/// It is not there or cannot be read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if !is_url(path) {
        return Ok(Box::new(File::open(path)?));
    }
    Ok(Box::new(Reading::open(path)?))
}

/// Reads a file or a URL.
///
/// # Errors
/// It is not there, cannot be read, or is a URL of more than a gigabyte.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !is_url(path) {
        return fs::read(path);
    }
    let (store, key) = connect(&Location::parse(path)?)?;
    let mut attempts = 0;
    wait_for(async move {
        loop {
            match whole(&store, &key).await {
                // What has no tag cannot be asked for from where it was cut off.
                Err(error) if error.cause() == Cause::Cut && attempts < CUT_ATTEMPTS => attempts += 1,
                done => return done,
            }
        }
    })
    .map_err(io::Error::from)
}

async fn whole(store: &Arc<dyn ObjectStore>, key: &Key) -> Result<Vec<u8>, StorageError> {
    let body = Body::open(Arc::clone(store), key.clone()).await?;
    if body.size > MOST_BYTES {
        let problem = format!(
            "it has {} bytes, and no more than {MOST_BYTES} are read",
            body.size
        );
        return Err(StorageError::other(problem));
    }
    let mut bytes = Vec::with_capacity(body.size as usize);
    let mut rest = Some(body);
    while let Some(body) = rest.take() {
        let (chunk, more) = body.next().await?;
        bytes.extend_from_slice(&chunk);
        rest = more;
    }
    Ok(bytes)
}

/// Finds out whether there is a file or something behind a URL.
///
/// # Errors
/// It is not there, or nothing can be found out.
pub fn find(path: &Path) -> io::Result<()> {
    match is_url(path) {
        false => fs::metadata(path).map(drop),
        true => Blob::open(path).map(drop),
    }
}

/// Removes a file or a URL. It is no error that it is not there.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match is_url(path) {
        false => fs::remove_file(path),
        true => {
            let (store, key) = connect(&Location::parse(path)?)?;
            wait_for(async move { Ok(store.delete(&key).await?) }).map_err(io::Error::from)
        }
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A body on its way. The stores' library goes on by itself where it is cut off within the first minutes; one that is read
/// slowly, like an archive of pictures, is asked for again from where it was cut off at any time.
struct Body {
    store: Arc<dyn ObjectStore>,
    key: Key,
    /// What tells this content from a later one of the same name; none where the server does not.
    tag: Option<String>,
    read: u64,
    size: u64,
    /// How often it was asked for again since something came.
    attempts: u32,
    rest: BoxStream<'static, object_store::Result<Bytes>>,
}

impl Body {
    async fn open(store: Arc<dyn ObjectStore>, key: Key) -> Result<Self, StorageError> {
        let object = store.get(&key).await?;
        let (tag, size) = (object.meta.e_tag.clone(), object.meta.size);
        Ok(Self {
            rest: object.into_stream(),
            store,
            key,
            tag,
            read: 0,
            size,
            attempts: 0,
        })
    }

    /// Goes on so many bytes later, by a new request; where the server does not agree, nothing has changed.
    async fn leap(mut self, bytes: u64) -> (Self, bool) {
        let start = self.read + bytes;
        // Without a tag the rest could be that of another content.
        let answer = match self.tag {
            Some(_) => self.ask_from(start).await.ok(),
            None => None,
        };
        let leaps = answer.is_some();
        if let Some(rest) = answer {
            (self.rest, self.read) = (rest, start);
        }
        (self, leaps)
    }

    // Alone: a stream can be sent to another thread, but not be shared with one.
    async fn ask_from(
        &mut self,
        start: u64,
    ) -> object_store::Result<BoxStream<'static, object_store::Result<Bytes>>> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(start..self.size)),
            if_match: self.tag.clone(),
            ..GetOptions::default()
        };
        Ok(self.store.get_opts(&self.key, options).await?.into_stream())
    }

    /// What comes next; nothing at the end.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), StorageError> {
        loop {
            match self.rest.next().await {
                Some(Ok(chunk)) => {
                    self.read += chunk.len() as u64;
                    self.attempts = 0;
                    return Ok((chunk, Some(self)));
                }
                None if self.read == self.size => return Ok((Bytes::new(), None)),
                Some(Err(_)) | None if self.tag.is_none() || self.attempts == MOST_ATTEMPTS => {
                    let problem = format!("it was cut off after {} of {} bytes", self.read, self.size);
                    return Err(StorageError::new(Cause::Cut, problem));
                }
                Some(Err(_)) | None => {
                    tokio::time::sleep(FIRST_PAUSE * 2u32.pow(self.attempts)).await;
                    self.attempts += 1;
                    self.rest = self.ask_from(self.read).await?;
                }
            }
        }
    }
}

/// A body as something to read.
pub(crate) struct Reading {
    body: Option<Body>,
    chunk: Bytes,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(body) = self.body.take() else {
                return Ok(0);
            };
            (self.chunk, self.body) = wait_for(body.next())?;
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

impl Reading {
    pub(crate) fn open(url: &Path) -> io::Result<Self> {
        let (store, key) = connect(&Location::parse(url)?)?;
        Ok(Self {
            body: Some(wait_for(Body::open(store, key))?),
            chunk: Bytes::new(),
        })
    }

    /// How many bytes there are, from the beginning.
    pub(crate) fn size(&self) -> Option<u64> {
        self.body.as_ref().map(|body| body.size)
    }

    /// Leaves out so many bytes, which may be more than there are.
    pub(crate) fn pass_over(&mut self, bytes: u64) -> io::Result<()> {
        let here = bytes.min(self.chunk.len() as u64);
        self.chunk.advance(here as usize);
        let mut rest = bytes - here;
        if rest >= LEAST_LEAP
            && let Some(body) = self.body.take()
        {
            if rest >= body.size.saturating_sub(body.read) {
                return Ok(());
            }
            let (body, leaps) = wait_for(async move { Ok(body.leap(rest).await) })?;
            self.body = Some(body);
            rest = if leaps { 0 } else { rest };
        }
        io::copy(&mut self.take(rest), &mut io::sink()).map(drop)
    }
}

/// Something behind a URL that is read in parts.
#[derive(Clone, Debug)]
pub struct Blob {
    store: Arc<dyn ObjectStore>,
    key: Key,
    size: u64,
}

impl Blob {
    /// Finds out how long it is.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub fn open(url: &Path) -> io::Result<Self> {
        let (store, key) = connect(&Location::parse(url)?)?;
        let asked = (Arc::clone(&store), key.clone());
        let size = wait_for(async move { Ok(asked.0.head(&asked.1).await?.size) })?;
        Ok(Self { store, key, size })
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads a part of it.
    ///
    /// # Errors
    /// It cannot be read, or has no such part.
    pub fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        Ok(wait_for(async move { Ok(store.get_range(&key, range).await?) })?)
    }
}
