//! The bytes of a table, here or behind a URL, of which parts alone are read.
//!
//! The library reads in three ways: `get_read` the last bytes, and in front of each page from where it is described;
//! `get_bytes` the description of the whole in front of the last bytes, and pages. What describes is looked at first.

use super::description;
use bytes::{Buf as _, Bytes, buf::Reader};
use modelzoo_storage::{Blob, is_url};
use parquet::{
    errors::{ParquetError, Result},
    file::{
        FOOTER_SIZE,
        reader::{ChunkReader, Length},
    },
};
use std::{
    fs::File,
    io::{self, BufReader, Chain, Cursor, Read},
    path::Path,
};

/// So much is read of a URL at least.
const CHUNK: u64 = 1 << 20;

pub(super) enum Source {
    File(File),
    Blob(Blob),
}

pub(super) enum Bytewise {
    File(BufReader<File>),
    Blob(BlobReader),
}

/// Reads on from a place, a chunk at a time.
pub(super) struct BlobReader {
    blob: Blob,
    at: u64,
    chunk: Reader<Bytes>,
}

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(match is_url(path) {
            true => Self::Blob(Blob::open(path)?),
            false => Self::File(File::open(path)?),
        })
    }

    /// Where the table's last bytes begin, and the description of the whole ends.
    fn end(&self) -> u64 {
        self.len().saturating_sub(FOOTER_SIZE as u64)
    }

    fn read_from(&self, start: u64) -> Result<Bytewise> {
        Ok(match self {
            Self::File(file) => Bytewise::File(file.get_read(start)?),
            Self::Blob(blob) => Bytewise::Blob(BlobReader {
                blob: blob.clone(),
                at: start,
                chunk: Bytes::new().reader(),
            }),
        })
    }

    fn read_all(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Blob(blob) => blob.read(start..start + length as u64).map_err(external),
        }
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Blob(blob) => blob.size(),
        }
    }
}

impl ChunkReader for Source {
    /// What was looked at, and what comes after it.
    type T = Chain<Cursor<Vec<u8>>, Bytewise>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut rest = self.read_from(start)?;
        let looked_at = match start == self.end() {
            true => Vec::new(),
            false => description::check(&mut rest, description::MOST_OF_A_PAGE).map_err(external)?,
        };
        Ok(Read::chain(Cursor::new(looked_at), rest))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.read_all(start, length)?;
        if start + length as u64 == self.end() {
            description::check(&*bytes, u64::MAX).map_err(external)?;
        }
        Ok(bytes)
    }
}

fn external(error: io::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl Read for Bytewise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Blob(blob) => blob.read(buffer),
        }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.chunk.get_ref().has_remaining() && self.at < self.blob.size() {
            let end = self.blob.size().min(self.at + CHUNK);
            self.chunk = self.blob.read(self.at..end)?.reader();
            self.at = end;
        }
        self.chunk.read(buffer)
    }
}
