//! Formats of archives.
use std::{
    io::{self, BufReader, Read},
    path::Path,
};

/// A format that can be extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar.bz2`
    TarBz2,
    /// `.tar.xz`
    TarXz,
    /// `.tar.zst`
    TarZst,
}

impl ArchiveFormat {
    /// The format that a file's name ends in, or `None`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        [
            (".zip", Self::Zip),
            (".tar", Self::Tar),
            (".tar.gz", Self::TarGz),
            (".tgz", Self::TarGz),
            (".tar.bz2", Self::TarBz2),
            (".tar.xz", Self::TarXz),
            (".tar.zst", Self::TarZst),
        ]
        .into_iter()
        .find_map(|(ending, format)| name.ends_with(ending).then_some(format))
    }

    /// The same for a path.
    pub fn of_path(path: &Path) -> Option<Self> {
        Self::of_name(path.file_name()?.to_str()?)
    }

    /// The tar stream inside a compressed file. Not for zip, which is no stream.
    pub(super) fn tar_stream<'r>(self, file: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
        let file = BufReader::new(file);
        Ok(match self {
            Self::Zip | Self::Tar => Box::new(file),
            // Several members after one another are one file, as for the programs of these formats.
            Self::TarGz => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Self::TarBz2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
            Self::TarXz => Box::new(lzma_rust2::XzReader::new(file, true)),
            Self::TarZst => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        })
    }
}
