//! The file that a download grows in, beside its destination, until it is renamed to it.
//!
//! `.NAME.part` with the record `.NAME.part.json` survives a killed process and is resumed by the next one. The process
//! that works on it holds an advisory lock on it; another one that wants the same file waits. Nothing depends on the
//! lock but work saved: where locks do not work, or their holder hangs, a file of its own (`.NAME.part-RANDOM`) is
//! used, and the last rename wins.
use super::DownloadError;
use modelzoo_base::{
    digest::{Sha256Digest, Sha256Hasher},
    progress::{Cancellation, Event, Observer},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

const POLL: Duration = Duration::from_millis(50);
const SUFFIX: &str = ".part";
const PRIVATE_SUFFIX: &str = ".part-";
const RANDOM_LETTERS: usize = 8;
/// Longer names are replaced by their hash, so that prefix and suffix fit into the 255 bytes of a file name.
const LONGEST_NAME: usize = 200;
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Which content a partial file is a part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The URL that was asked for.
    pub(super) url: String,
    /// The server's strong ETag.
    pub(super) etag: Option<String>,
    /// The server's `Last-Modified`, as it wrote it.
    pub(super) last_modified: Option<String>,
    /// The size of the whole.
    pub(super) total: Option<u64>,
}

/// An open partial file.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    destination: PathBuf,
    record: Option<Record>,
    /// The digest of the first `length` bytes, or nothing when the file has not been read yet.
    hasher: Option<Sha256Hasher>,
    length: u64,
    /// Whether others can find and resume it.
    shared: bool,
    /// Whether its beginning is older than the last attempt.
    resumed: bool,
}

/// What comes of asking for a partial file.
#[derive(Debug)]
pub(super) enum Claim {
    /// It is this process's to fill.
    Mine(Box<Partial>),
    /// While this process waited, another one published the destination.
    Published,
}

impl Partial {
    /// Opens the partial file of `destination`, waiting while another process works on it, but no longer than
    /// `patience` without seeing it grow.
    pub(super) fn claim(
        destination: &Path,
        patience: Duration,
        observer: &dyn Observer,
        cancellation: &Cancellation,
    ) -> Result<Claim, DownloadError> {
        let at_start = identity(destination);
        let path = beside(destination, SUFFIX);
        remove_orphans(destination);
        let mut told = false;
        let mut seen = (0, Instant::now());
        loop {
            if cancellation.is_cancelled() {
                return Err(DownloadError::Cancelled {
                    destination: destination.to_owned(),
                });
            }
            let file = open(&path).map_err(failed("create", &path))?;
            match file.try_lock() {
                Ok(()) if !is_at(&file, &path) => continue,
                Ok(()) if identity(destination) != at_start => {
                    remove(&path);
                    return Ok(Claim::Published);
                }
                Ok(()) => {
                    return Self::shared(file, path, destination)
                        .map(|partial| Claim::Mine(Box::new(partial)));
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(_)) => return Self::alone(destination),
            }
            if !told {
                observer.notice(Event::Waiting { path: destination });
                told = true;
            }
            let length = file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
            if length != seen.0 {
                seen = (length, Instant::now());
            } else if seen.1.elapsed() >= patience {
                return Self::alone(destination);
            }
            std::thread::sleep(POLL);
        }
    }

    fn shared(file: File, path: PathBuf, destination: &Path) -> Result<Self, DownloadError> {
        let length = file.metadata().map_err(failed("read", &path))?.len();
        // A record that cannot be read, or is not there, means only that nothing can be resumed.
        let record = std::fs::read(record_path(&path))
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        let destination = destination.to_owned();
        Ok(Self {
            file,
            path,
            destination,
            record,
            hasher: None,
            length,
            shared: true,
            resumed: false,
        })
    }

    fn alone(destination: &Path) -> Result<Claim, DownloadError> {
        loop {
            let random: String = std::iter::repeat_with(fastrand::alphanumeric)
                .take(RANDOM_LETTERS)
                .collect();
            let path = beside(destination, &format!("{PRIVATE_SUFFIX}{random}"));
            let file = open(&path).map_err(failed("create", &path))?;
            // The lock only tells that its owner lives; between opening and locking it may have been taken for an orphan.
            let _ = file.try_lock();
            if is_at(&file, &path) {
                let destination = destination.to_owned();
                let hasher = Some(Sha256Hasher::default());
                return Ok(Claim::Mine(Box::new(Self {
                    file,
                    path,
                    destination,
                    record: None,
                    hasher,
                    length: 0,
                    shared: false,
                    resumed: false,
                })));
            }
        }
    }

    /// How many bytes are there.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// What the bytes are a part of, if there are some and it is known.
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_ref().filter(|_| self.length > 0)
    }

    /// Throws away what is there and begins with the content that `record` describes.
    pub(super) fn restart(&mut self, record: Record) -> io::Result<()> {
        // In this order: a process killed in between leaves an empty file, never old bytes under a new record.
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.length = 0;
        self.resumed = false;
        self.hasher = Some(Sha256Hasher::default());
        if self.shared {
            // Half a record is none, which costs no more than a fresh start; so it need not be written atomically.
            std::fs::write(record_path(&self.path), serde_json::to_vec(&record)?)?;
        }
        self.record = Some(record);
        Ok(())
    }

    /// Makes ready to append to what is there, which is read once for its digest.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        if self.hasher.is_none() {
            self.file.seek(SeekFrom::Start(0))?;
            let mut hasher = Sha256Hasher::default();
            let mut buffer = vec![0; READ_BUFFER_BYTES];
            let mut rest = self.length;
            while rest > 0 {
                let wanted = buffer.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
                self.file.read_exact(&mut buffer[..wanted])?;
                hasher.update(&buffer[..wanted]);
                rest -= wanted as u64;
            }
            self.hasher = Some(hasher);
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        self.resumed = true;
        Ok(())
    }

    /// Whether what is there came in more than one piece, which might not fit together.
    pub(super) fn was_resumed(&self) -> bool {
        self.resumed
    }

    /// Drops everything behind the first `length` bytes.
    pub(super) fn shorten(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        self.hasher = None;
        Ok(())
    }

    /// Sees to it that what is there is not continued, by nobody.
    pub(super) fn forget(&mut self) {
        remove(&record_path(&self.path));
        self.record = None;
        self.length = 0;
        self.hasher = None;
    }

    /// Appends the next bytes. After an error, the file has a good beginning and nothing else.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.hasher.get_or_insert_default().update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The digest of what is there.
    pub(super) fn digest(&self) -> Sha256Digest {
        self.hasher.clone().unwrap_or_default().finish()
    }

    /// Makes the file durable and renames it to its destination.
    pub(super) fn publish(self) -> Result<(), DownloadError> {
        self.file.sync_all().map_err(failed("write", &self.path))?;
        std::fs::rename(&self.path, &self.destination)
            .map_err(failed("rename the download to", &self.destination))?;
        if self.shared {
            remove(&record_path(&self.path));
        }
        #[cfg(unix)]
        if let Some(folder) = self
            .destination
            .parent()
            .and_then(|folder| File::open(folder).ok())
        {
            // Only a power cut in the next seconds would show the difference; the file is whole either way.
            let _ = folder.sync_all();
        }
        Ok(())
    }

    /// Removes the file, for what is there is of no use.
    pub(super) fn discard(self) {
        remove(&self.path);
        remove(&record_path(&self.path));
    }

    /// Ends the work on it: what others can resume stays.
    pub(super) fn release(self) {
        if !self.shared || self.record().is_none() {
            self.discard();
        }
    }
}

/// A file beside `destination`, hidden, with `suffix` in place of its ending.
fn beside(destination: &Path, suffix: &str) -> PathBuf {
    let name = destination.file_name().unwrap_or_default().to_string_lossy();
    let name = if name.len() > LONGEST_NAME {
        Sha256Digest::of(name.as_bytes()).to_string()
    } else {
        name.into()
    };
    destination.with_file_name(format!(".{name}{suffix}"))
}

fn record_path(partial: &Path) -> PathBuf {
    let mut name = partial.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Whether `path` still leads to `file`: its last owner may have renamed or removed it.
fn is_at(file: &File, path: &Path) -> bool {
    let opened = file.try_clone().and_then(same_file::Handle::from_file);
    matches!((opened, same_file::Handle::from_path(path)), (Ok(opened), Ok(there)) if opened == there)
}

/// What tells one version of a file from the next.
fn identity(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Removes private partial files of `destination` whose owner has died.
fn remove_orphans(destination: &Path) {
    let prefix = beside(destination, PRIVATE_SUFFIX)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let Some(entries) = destination
        .parent()
        .and_then(|folder| std::fs::read_dir(folder).ok())
    else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let random = name.strip_prefix(&prefix).unwrap_or_default();
        if random.len() != RANDOM_LETTERS || !random.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
            continue;
        }
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            remove(&path);
        }
    }
}

/// Removes a file that may not be there, or that nobody misses if it stays.
fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Wraps what the system says about `path`.
fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> DownloadError + 'a {
    move |source| DownloadError::file(action, path, source, None)
}
