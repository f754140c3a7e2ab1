//! Walking through the entries of an archive.
use super::{
    ArchiveError, ArchiveFormat, ArchiveLimits,
    writer::{Content, EntryWriter, Extracted},
};
use std::{io, path::Path};
use zip::result::ZipError;

/// Why an entry such as a device is refused.
const NO_CONTENT: &str = "is neither a file, nor a folder, nor a link";

/// So many bytes may follow the end of a tar: tapes are written in large blocks.
const LONGEST_PADDING: u64 = 16 << 20;

/// No link's target is longer.
const LONGEST_TARGET: u64 = 4096;

/// Extracts `archive` into `destination`, a folder that is empty or does not exist. After an error, what is in the
/// destination is incomplete and must not be used.
///
/// # Errors
/// See [`ArchiveError`].
pub fn extract(
    archive: &Path,
    format: ArchiveFormat,
    destination: &Path,
    limits: &ArchiveLimits,
) -> Result<Extracted, ArchiveError> {
    let unreadable = ArchiveError::read(archive);
    let file = std::fs::File::open(archive).map_err(&unreadable)?;
    let size = file.metadata().map_err(&unreadable)?.len();
    fs_err::create_dir_all(destination).map_err(ArchiveError::write(destination))?;
    let mut writer = EntryWriter::new(archive, size, destination, limits);
    match format {
        ArchiveFormat::Zip => extract_zip(file, &mut writer, &unreadable)?,
        _ => extract_tar(file, format, &mut writer, &unreadable)?,
    }
    writer.finish()
}

type Unreadable<'a> = &'a dyn Fn(io::Error) -> ArchiveError;

fn extract_tar(
    file: std::fs::File,
    format: ArchiveFormat,
    writer: &mut EntryWriter<'_>,
    unreadable: Unreadable<'_>,
) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(format.tar_stream(file).map_err(unreadable)?);
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path_bytes().into_owned();
        let shown = String::from_utf8_lossy(&name).into_owned();
        let target = entry
            .link_name_bytes()
            .map(|target| String::from_utf8_lossy(&target).into_owned());
        let target = || target.ok_or_else(|| unreadable(io::ErrorKind::InvalidData.into()));
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        match entry.header().entry_type() {
            tar::EntryType::Directory => writer.add(&name, Content::Folder)?,
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                let content = &mut entry;
                writer.add(&name, Content::File { executable, content })?;
            }
            tar::EntryType::Symlink => writer.add(&name, Content::Link { target: target()? })?,
            tar::EntryType::Link => writer.add(&name, Content::Copy { of: target()? })?,
            // Comments and settings for all entries, as GitHub's archives begin with.
            tar::EntryType::XGlobalHeader => {}
            _ => return Err(writer.refuse(&shown, NO_CONTENT)),
        }
    }
    // Compressed files end in a check sum, behind the last entry and what pads the archive.
    let mut rest = io::Read::take(archive.into_inner(), LONGEST_PADDING + 1);
    match io::copy(&mut rest, &mut io::sink()).map_err(unreadable)? {
        0..=LONGEST_PADDING => Ok(()),
        _ => Err(unreadable(io::Error::new(
            io::ErrorKind::InvalidData,
            "it goes on after its end",
        ))),
    }
}

fn extract_zip(
    file: std::fs::File,
    writer: &mut EntryWriter<'_>,
    unreadable: Unreadable<'_>,
) -> Result<(), ArchiveError> {
    const TYPE_BITS: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    const FOLDER: u32 = 0o040_000;
    const LINK: u32 = 0o120_000;
    let failed = |error: ZipError| {
        unreadable(match error {
            ZipError::Io(error) => error,
            other => io::Error::other(other),
        })
    };
    let mut archive = zip::ZipArchive::new(io::BufReader::new(file)).map_err(failed)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(failed)?;
        let name = entry.name_raw().to_vec();
        let mode = entry.unix_mode().unwrap_or(REGULAR);
        match mode & TYPE_BITS {
            _ if entry.is_dir() => writer.add(&name, Content::Folder)?,
            FOLDER => writer.add(&name, Content::Folder)?,
            REGULAR | 0 => {
                let executable = mode & 0o100 != 0;
                let content = &mut entry;
                writer.add(&name, Content::File { executable, content })?;
            }
            LINK => {
                let target =
                    io::read_to_string(io::Read::take(&mut entry, LONGEST_TARGET)).map_err(unreadable)?;
                writer.add(&name, Content::Link { target })?;
            }
            _ => {
                let shown = String::from_utf8_lossy(&name).into_owned();
                return Err(writer.refuse(&shown, NO_CONTENT));
            }
        }
    }
    Ok(())
}
