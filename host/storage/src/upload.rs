//! Writing: what is written appears when all of it is there.

use crate::{
    connect::connect,
    error::StorageError,
    location::Location,
    runtime::{leave_to_end, wait_for},
};
use bytes::Bytes;
use object_store::buffered::BufWriter;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};
use tokio::io::AsyncWriteExt as _;

/// So much is sent at once: stores have 10,000 parts of an object at most, so one may have 80 GB.
const PART: usize = 8 << 20;

/// Something that is being written to a URL, in parts once it is large. It is there after [`Upload::commit`]; a store never
/// shows a part of it. Dropped before that, what was sent is taken back.
#[derive(Debug)]
pub struct Upload {
    url: PathBuf,
    /// None once the store would not take something.
    writer: Option<BufWriter>,
    buffer: Vec<u8>,
    has_sent: bool,
}

impl Upload {
    /// Begins to write. Nothing is sent yet.
    ///
    /// # Errors
    /// The URL is none that can be written to.
    pub fn create(url: &Path) -> io::Result<Self> {
        let location = Location::parse(url)?;
        if !location.is_writable() {
            return Err(StorageError::invalid("what is on the web can be read only").into());
        }
        let (store, key) = connect(&location)?;
        Ok(Self {
            url: url.to_owned(),
            writer: Some(BufWriter::with_capacity(store, key, PART)),
            buffer: Vec::new(),
            has_sent: false,
        })
    }

    /// Where it will be.
    pub fn url(&self) -> &Path {
        &self.url
    }

    /// Sends what is left, and lets it appear.
    ///
    /// # Errors
    /// The store does not take it. Then what was there stays.
    pub fn commit(mut self) -> io::Result<()> {
        self.send()?;
        let Some(mut writer) = self.writer.take() else {
            return Err(failed_before());
        };
        Ok(wait_for(async move { Ok(writer.shutdown().await?) })?)
    }

    fn send(&mut self) -> io::Result<()> {
        let mut writer = self.writer.take().ok_or_else(failed_before)?;
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        self.has_sent = true;
        self.writer = Some(wait_for(async move {
            match writer.put(bytes).await {
                Ok(()) => Ok(writer),
                Err(error) => {
                    // The first error is the one to tell.
                    let _ = writer.abort().await;
                    Err(error.into())
                }
            }
        })?);
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART {
            self.send()?;
        }
        Ok(bytes.len())
    }

    /// Nothing is to be seen before all of it is there, so this does nothing.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take().filter(|_| self.has_sent) {
            leave_to_end(async move {
                // Where that fails, too, the store's own rules for unfinished uploads take it away.
                let _ = writer.abort().await;
            });
        }
    }
}

fn failed_before() -> io::Error {
    StorageError::other("an earlier part of it could not be sent").into()
}
