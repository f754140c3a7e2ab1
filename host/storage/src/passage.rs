//! Reading from the beginning to the end with gaps.

use crate::{location::is_url, read::Reading};
use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// A file, or what is behind a URL, read from its beginning; what is passed over need not be read. It can be sought forward
/// from where it is, and nowhere else.
pub struct Passage {
    source: PassageSource,
    at: u64,
    length: Option<u64>,
}

enum PassageSource {
    File(File),
    /// A pipe, for one.
    Unseekable(File),
    Url(Reading),
}

impl Passage {
    /// Opens a file or a URL.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (source, length) = if is_url(path) {
            let reading = Reading::open(path)?;
            let length = reading.size();
            (PassageSource::Url(reading), length)
        } else {
            let file = File::open(path)?;
            match file.metadata()? {
                about if about.is_file() => (PassageSource::File(file), Some(about.len())),
                _ => (PassageSource::Unseekable(file), None),
            }
        };
        Ok(Self {
            source,
            at: 0,
            length,
        })
    }

    /// How many bytes it has, where that is known beforehand.
    pub fn length(&self) -> Option<u64> {
        self.length
    }
}

impl fmt::Debug for Passage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Passage at {} of {:?}", self.at, self.length)
    }
}

impl Read for Passage {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.source {
            PassageSource::File(file) | PassageSource::Unseekable(file) => file.read(buffer)?,
            PassageSource::Url(reading) => reading.read(buffer)?,
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Passage {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let target = match target {
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
            SeekFrom::Start(start) => Some(start),
            SeekFrom::End(_) => None,
        };
        let bytes = target.and_then(|target| target.checked_sub(self.at));
        let bytes = bytes.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        match &mut self.source {
            PassageSource::File(file) => {
                file.seek(SeekFrom::Start(self.at + bytes))?;
            }
            PassageSource::Unseekable(file) => {
                io::copy(&mut file.take(bytes), &mut io::sink())?;
            }
            PassageSource::Url(reading) => reading.pass_over(bytes)?,
        }
        self.at += bytes;
        Ok(self.at)
    }
}
