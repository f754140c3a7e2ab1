//! The bytes of a table, here or behind a URL, of which parts alone are read.

use bytes::{Buf as _, Bytes, buf::Reader};
use modelzoo_storage::{Blob, is_url};
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

/// So much is read of a URL at least.
const CHUNK: u64 = 1 << 20;

pub(super) enum Source {
    File(File),
    Blob(Blob),
}

pub(super) enum Part {
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
    type T = Part;

    fn get_read(&self, start: u64) -> Result<Part> {
        Ok(match self {
            Self::File(file) => Part::File(file.get_read(start)?),
            Self::Blob(blob) => Part::Blob(BlobReader {
                blob: blob.clone(),
                at: start,
                chunk: Bytes::new().reader(),
            }),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Blob(blob) => blob
                .read(start..start + length as u64)
                .map_err(|error| ParquetError::External(Box::new(error))),
        }
    }
}

impl Read for Part {
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
