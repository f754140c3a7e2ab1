use super::{AtomicFile, OutputError};
use modelzoo_storage::{Upload, is_url};
use std::{
    io::{self, Write},
    path::Path,
};

/// A file of results, on this machine or behind a URL. It appears whole, by [`OutputFile::commit`], or not at all.
#[derive(Debug)]
pub struct OutputFile(Target);

#[derive(Debug)]
enum Target {
    File(AtomicFile),
    Upload(Box<Upload>),
}

impl OutputFile {
    /// Begins a file for `path`: as [`AtomicFile::create`] does, or an upload to a URL.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OutputError> {
        let path = path.as_ref();
        Ok(Self(match is_url(path) {
            true => Target::Upload(Box::new(
                Upload::create(path).map_err(|source| OutputError::new(path, source))?,
            )),
            false => Target::File(AtomicFile::create(path)?),
        }))
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// It cannot be written or put there; then the old one stays.
    pub fn commit(self) -> Result<(), OutputError> {
        match self.0 {
            Target::File(file) => file.commit(),
            Target::Upload(upload) => {
                let url = upload.url().to_owned();
                upload.commit().map_err(|source| OutputError::new(url, source))
            }
        }
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        match &self.0 {
            Target::File(file) => file.path(),
            Target::Upload(upload) => upload.url(),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::File(file) => file.write(bytes),
            Target::Upload(upload) => upload.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Target::File(file) => file.flush(),
            Target::Upload(upload) => upload.flush(),
        }
    }
}
