//! Pictures and videos in tar archives, as WebDataset keeps them: `000012.jpg`, `000012.json` and so on are one sample with
//! the key `000012`. A sample here is each picture or video by itself, under the name that it has in the archive.

use super::{
    error::InputError,
    file::{Content, Contents, InputFile},
    media_kind::MediaKind,
    relative::relative_to,
};
use flate2::read::MultiGzDecoder;
use modelzoo_storage::{Passage, name_of};
use std::{
    cell::Cell,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    rc::Rc,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};
use tar::{Archive, EntryType};

/// A picture or video of more bytes is passed over with an error; what is in an archive is read into memory.
const MOST_BYTES: u64 = 1 << 30;
/// A name and what else is told of a file take no more bytes than this, which are read into memory, too.
const MOST_DESCRIPTION: u64 = 1 << 20;
/// What is in an archive begins at a multiple of this.
const BLOCK: u64 = 512;

/// Why nobody takes what is found any more.
struct Gone;

/// The media files in the archive at `path`, in its order, with the contents of those that `contents` wants. What is wrong
/// with the archive is the last item.
pub(super) fn files(
    path: &Path,
    base: &Path,
    kinds: &[MediaKind],
    contents: Contents,
) -> impl Iterator<Item = Result<InputFile, InputError>> + Send + use<> {
    // An archive is read from its beginning to its end, which an iterator over it cannot own; and the next file may well be
    // read while the one before is looked at.
    let (sender, receiver) = sync_channel(1);
    let reading = Reading {
        path: path.to_owned(),
        relative: relative_to(path, base),
        kinds: kinds.to_vec(),
        contents,
        is_sought: !is_packed(path),
    };
    thread::spawn(move || {
        if let Err(error) = reading.send_all(&sender) {
            // Nobody waits any more where this fails.
            let _ = sender.send(Err(InputError::Io {
                source: error,
                path: reading.path,
            }));
        }
    });
    receiver.into_iter()
}

struct Reading {
    path: PathBuf,
    relative: PathBuf,
    kinds: Vec<MediaKind>,
    contents: Contents,
    /// Whether what is not wanted is passed over unread.
    is_sought: bool,
}

type Sender = SyncSender<Result<InputFile, InputError>>;

impl Reading {
    /// Sends all files until the end, or until nobody takes them.
    fn send_all(&self, sender: &Sender) -> io::Result<()> {
        let limit = Limit::default();
        if self.is_sought {
            let content = Passage::open(&self.path)?;
            let length = content.length();
            let mut archive = Archive::new(limit.of(content));
            let entries = archive.entries_with_seek()?;
            return self.send_entries(sender, entries, &limit, length);
        }
        let mut archive = Archive::new(limit.of(unpacked(&self.path)?));
        let entries = archive.entries()?;
        self.send_entries(sender, entries, &limit, None)
    }

    fn send_entries(
        &self,
        sender: &Sender,
        entries: tar::Entries<'_, impl Read>,
        limit: &Limit,
        length: Option<u64>,
    ) -> io::Result<()> {
        limit.set(MOST_DESCRIPTION);
        for entry in entries {
            let mut entry = entry?;
            let name = entry.path()?.into_owned();
            let end = end_of(&entry)?;
            if length.is_some_and(|length| end > length) {
                return Err(cut_off(&name));
            }
            limit.set(end);
            if matches!(
                entry.header().entry_type(),
                EntryType::Regular | EntryType::Continuous
            ) && let Some(kind) = self.kind_of(&name)
                && self.send(sender, &name, kind, &mut entry)?.is_err()
            {
                return Ok(());
            }
            limit.set(end.saturating_add(BLOCK + MOST_DESCRIPTION));
        }
        Ok(())
    }

    fn send(
        &self,
        sender: &Sender,
        name: &Path,
        kind: MediaKind,
        entry: &mut tar::Entry<'_, impl Read>,
    ) -> io::Result<Result<(), Gone>> {
        let name = relative_to(name, Path::new(""));
        let (path, relative_path) = (self.path.join(&name), self.relative.join(&name));
        let content = match (self.contents.are_wanted(&relative_path), entry.size()) {
            (_, size) if size > MOST_BYTES => {
                let problem =
                    format!("it has {size} bytes, and no more than {MOST_BYTES} are read of an archive");
                let source = io::Error::other(problem);
                return Ok(sender
                    .send(Err(InputError::Io { path, source }))
                    .map_err(|_| Gone));
            }
            (false, size) => {
                // Of an archive that cannot be sought in: whether all of it is there shows now or, to whom it is wanted,
                // in reading it. Both have to find the same files before the end.
                if !self.is_sought && io::copy(entry, &mut io::sink())? != size {
                    return Err(cut_off(&name));
                }
                Content::AtPath
            }
            (true, size) => {
                let mut bytes = Vec::with_capacity(size as usize);
                entry.read_to_end(&mut bytes)?;
                if bytes.len() as u64 != size {
                    return Err(cut_off(&name));
                }
                Content::Bytes(bytes.into())
            }
        };
        let file = InputFile {
            relative_path,
            path,
            kind,
            content,
        };
        Ok(sender.send(Ok(file)).map_err(|_| Gone))
    }

    /// What is wanted of a name; hidden files are not, among them those that archives made on a Mac have beside each.
    fn kind_of(&self, name: &Path) -> Option<MediaKind> {
        let is_hidden = name.file_name()?.as_encoded_bytes().starts_with(b".");
        MediaKind::from_path(name).filter(|kind| self.kinds.contains(kind) && !is_hidden)
    }
}

/// Where the content of an entry ends in the archive.
fn end_of(entry: &tar::Entry<'_, impl Read>) -> io::Result<u64> {
    let size = match entry.header().entry_type() {
        // Its size is that with its holes.
        EntryType::GNUSparse => entry.header().entry_size()?,
        _ => entry.size(),
    };
    Ok(entry.raw_file_position().saturating_add(size))
}

fn cut_off(name: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("the archive ends in the middle of {}", name.display()),
    )
}

/// Whether an archive is compressed, going by its name.
fn is_packed(path: &Path) -> bool {
    let name = name_of(path).to_ascii_lowercase();
    name.ends_with("gz") || name.ends_with(".zst")
}

/// What a compressed archive unpacks to.
fn unpacked(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = modelzoo_storage::open(path)?;
    Ok(match name_of(path).to_ascii_lowercase().ends_with("gz") {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(zstd::Decoder::new(file)?),
    })
}

/// How far an archive may be read. The library reads descriptions of files into memory, however long they are, and a small
/// compressed archive may hold gigabytes of them.
#[derive(Clone, Default)]
struct Limit(Rc<Cell<u64>>);

impl Limit {
    fn set(&self, end: u64) {
        self.0.set(end);
    }

    fn of<R>(&self, content: R) -> Limited<R> {
        Limited {
            content,
            at: 0,
            limit: self.clone(),
        }
    }
}

struct Limited<R> {
    content: R,
    at: u64,
    limit: Limit,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self
            .limit
            .0
            .get()
            .saturating_sub(self.at)
            .min(buffer.len() as u64);
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other(format!(
                "what it tells of a file, its name for one, takes more than {MOST_DESCRIPTION} bytes"
            )));
        }
        let count = self.content.read(&mut buffer[..most as usize])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Seek> Seek for Limited<R> {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        self.at = self.content.seek(target)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests;
