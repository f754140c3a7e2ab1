//! Packing a plugin for a release.

use super::variant_of;
use crate::{ArtifactError, BuiltPlugin};
use flate2::{Compression, GzBuilder};
use fs_err as fs;
use modelzoo_base::{Sha256Digest, artifact, file};
use std::{
    io::{self, Write},
    path::Path,
};

/// The modification time of every entry, 1980-01-01: the oldest that every archive format and program accepts.
const MODIFIED: u64 = 315_532_800;

/// An archive of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedPlugin {
    /// The SHA-256 of the archive.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Writes the archive of `plugin`, which was built from the crate `crate_name` in `source`. It is there whole or not at
/// all, and depends on the files in it alone.
///
/// # Errors
/// When a file of the source cannot be read, or the archive not be written.
pub fn pack(
    plugin: &BuiltPlugin,
    crate_name: &str,
    source: &Path,
    archive: &Path,
) -> Result<PackedPlugin, ArtifactError> {
    let mut record = plugin.record.clone();
    // Where it lay on this machine is nobody's business.
    crate_name.clone_into(&mut record.source);
    let record = serde_json::to_string_pretty(&record).unwrap_or_else(|error| {
        unreachable!("a record is texts, numbers and lists of these: {error}");
    });
    let own = &plugin.artifact.path;
    let library = fs::read(own).map_err(ArtifactError::file("read", own))?;
    let mut files = vec![
        (name(&artifact::library(Path::new(""))), library),
        (
            name(&artifact::record(Path::new(""))),
            (record + "\n").into_bytes(),
        ),
    ];
    files.extend(papers(source)?);
    files.sort();
    let sums = files
        .iter()
        .map(|(name, content)| format!("{}  {name}\n", Sha256Digest::of(content)));
    let sums = ("SHA256SUMS".to_owned(), sums.collect::<String>().into_bytes());
    files.insert(0, sums);
    let folder = format!(
        "{crate_name}-{}-{}",
        plugin.record.target,
        variant_of(&plugin.record.features)
    );
    write(archive, &folder, &files).map_err(ArtifactError::file("write", archive))
}

/// The manifest and the licences of a source.
fn papers(source: &Path) -> Result<Vec<(String, Vec<u8>)>, ArtifactError> {
    let mut papers = Vec::new();
    for entry in fs::read_dir(source).map_err(ArtifactError::file("read", source))? {
        let path = entry.map_err(ArtifactError::file("read", source))?.path();
        let name = name(&path);
        let is_license = ["LICENSE", "LICENCE", "COPYING", "NOTICE"]
            .iter()
            .any(|start| name.to_ascii_uppercase().starts_with(start));
        if path.is_file() && (is_license || name == "manifest.json") {
            let content = fs::read(&path).map_err(ArtifactError::file("read", &path))?;
            papers.push((name, content));
        }
    }
    Ok(papers)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn write(archive: &Path, folder: &str, files: &[(String, Vec<u8>)]) -> io::Result<PackedPlugin> {
    let (_registered, mut file) = file::temporary_file(file::folder_of(archive), ".tmp")?;
    // Neither name nor time of the file within.
    let gzip = GzBuilder::new().write(io::BufWriter::new(&mut file), Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(MODIFIED);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, format!("{folder}/{name}"), content.as_slice())?;
    }
    tar.into_inner()?.finish()?.flush()?;
    file.as_file().sync_all()?;
    let sha256 = Sha256Digest::of_file(file.path())?;
    let size_bytes = file.as_file().metadata()?.len();
    file.persist(archive).map_err(|error| error.error)?;
    Ok(PackedPlugin { sha256, size_bytes })
}
