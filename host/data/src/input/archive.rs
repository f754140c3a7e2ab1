//! Pictures and videos in tar archives, as WebDataset keeps them: `000012.jpg`, `000012.json` and so on are one sample with
//! the key `000012`. A sample here is each picture or video by itself, under the name that it has in the archive.

use super::{
    error::InputError,
    file::{Content, InputFile},
    media_kind::MediaKind,
    relative::relative_to,
};
use flate2::read::MultiGzDecoder;
use modelzoo_storage::name_of;
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};
use tar::{Archive, EntryType};

/// A picture or video of more bytes is passed over with an error; what is in an archive is read into memory.
const MOST_BYTES: u64 = 1 << 30;

/// Why nobody takes what is found any more.
struct Gone;

/// The media files in the archive at `path`, in its order, with their contents, or without where `with_content` does not
/// want them. What is wrong with the archive is the last item.
pub(super) fn files(
    path: &Path,
    base: &Path,
    kinds: &[MediaKind],
    with_content: bool,
) -> impl Iterator<Item = Result<InputFile, InputError>> + Send + use<> {
    // An archive is read from its beginning to its end, which an iterator over it cannot own; and the next file may well be
    // read while the one before is looked at.
    let (sender, receiver) = sync_channel(1);
    let reading = Reading {
        path: path.to_owned(),
        relative: relative_to(path, base),
        kinds: kinds.to_vec(),
        with_content,
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
    with_content: bool,
}

type Sender = SyncSender<Result<InputFile, InputError>>;

impl Reading {
    /// Sends all files until the end, or until nobody takes them.
    fn send_all(&self, sender: &Sender) -> io::Result<()> {
        let mut archive = Archive::new(open(&self.path)?);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.into_owned();
            if !matches!(
                entry.header().entry_type(),
                EntryType::Regular | EntryType::Continuous
            ) {
                continue;
            }
            let Some(kind) = self.kind_of(&name) else {
                continue;
            };
            if self.send(sender, &name, kind, &mut entry)?.is_err() {
                return Ok(());
            }
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
        let path = self.path.join(&name);
        let content = match (self.with_content, entry.size()) {
            (false, _) => Content::AtPath,
            (true, size) if size > MOST_BYTES => {
                let problem =
                    format!("it has {size} bytes, and no more than {MOST_BYTES} are read of an archive");
                let source = io::Error::other(problem);
                return Ok(sender
                    .send(Err(InputError::Io { path, source }))
                    .map_err(|_| Gone));
            }
            (true, size) => {
                let mut bytes = Vec::with_capacity(size as usize);
                entry.read_to_end(&mut bytes)?;
                if bytes.len() as u64 != size {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("the archive ends in the middle of {}", name.display()),
                    ));
                }
                Content::Bytes(bytes.into())
            }
        };
        let file = InputFile {
            relative_path: self.relative.join(&name),
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

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = modelzoo_storage::open(path)?;
    let name = name_of(path).to_ascii_lowercase();
    Ok(if name.ends_with("gz") {
        Box::new(MultiGzDecoder::new(file))
    } else if name.ends_with(".zst") {
        Box::new(zstd::Decoder::new(file)?)
    } else {
        file
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write as _};

    fn archive(names: &[&str]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(name.len() as u64);
            header.set_mode(0o644);
            // As a stranger may write it: the library's own check of names is passed by.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, name.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn told(path: &Path) -> Vec<String> {
        files(path, path.parent().unwrap(), &MediaKind::ALL, true)
            .map(|file| match file {
                Ok(file) => {
                    assert_eq!(file.path.file_name(), file.relative_path.file_name());
                    let Content::Bytes(bytes) = file.content else {
                        panic!("its content comes with it");
                    };
                    format!(
                        "{} {}",
                        file.relative_path.display(),
                        String::from_utf8_lossy(&bytes)
                    )
                }
                Err(error) => {
                    modelzoo_base::error::in_one_line(&error).replace(&path.display().to_string(), "A")
                }
            })
            .collect()
    }

    #[test]
    fn media_come_in_order_under_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let plain = archive(&["0/a.jpg", "0/a.json", "0/._b.jpg", "../../b.png", "/c.mp4"]);
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zipped.write_all(&plain).unwrap();
        for (name, bytes) in [("s.tar", plain.clone()), ("s.tgz", zipped.finish().unwrap())] {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let expected = ["0/a.jpg 0/a.jpg", "b.png ../../b.png", "c.mp4 /c.mp4"];
            assert_eq!(told(&path), expected.map(|file| format!("{name}/{file}")));
        }
    }

    #[test]
    fn what_is_cut_off_is_told_after_what_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.tar");
        fs::write(&path, &archive(&["a.jpg", "b.jpg"])[..1024 + 512 + 3]).unwrap();
        let told = told(&path);
        assert_eq!(told[0], "cut.tar/a.jpg a.jpg");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].starts_with("A: cannot be read: "), "{told:?}");
    }
}
