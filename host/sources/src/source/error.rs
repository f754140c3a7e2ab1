//! Why a source cannot be had.
use super::files::Unreadable;
use crate::{
    archive::ArchiveError, download::DownloadError, git::GitError, manifest::ManifestError, store::StoreError,
};
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// A source that cannot be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is nothing at a local path.
    #[error("there is no folder {}", path.display())]
    NoSuchPath {
        /// The path as the user wrote it.
        path: PathBuf,
    },
    /// A local path is a file that is no archive.
    #[error("{} is neither a folder nor an archive", path.display())]
    NotAFolder {
        /// The path as the user wrote it.
        path: PathBuf,
    },
    /// A folder or file of the source cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder after `//`, or after a ref in a URL, does not exist.
    #[error("`{identity}` has no folder `{subdirectory}`")]
    NoSuchSubdirectory {
        /// The source.
        identity: String,
        /// The folder.
        subdirectory: String,
    },
    /// There are files, but neither a manifest nor a published model.
    #[error(
        "`{identity}` is no source of models: it has neither a manifest.json nor the config.json of a published model"
    )]
    NoManifest {
        /// The source.
        identity: String,
        /// Where its files are.
        path: PathBuf,
    },
    /// The network may not be used, and the store does not have the source.
    #[error("`{reference}` is not in the store, and the network may not be used")]
    Offline {
        /// The source with its revision.
        reference: String,
    },
    /// The repository cannot be had, and a folder has its name: it may have been meant.
    #[error("`{repository}` cannot be had")]
    FolderOfThisName {
        /// The repository.
        repository: String,
        /// The folder, relative to the current one.
        folder: PathBuf,
        /// Why the repository cannot be had.
        source: Box<SourceError>,
    },
    /// A manifest of the source is not one.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The repository, the revision or its files cannot be had.
    #[error(transparent)]
    Git(#[from] GitError),
    /// An archive cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// An archive is broken or refused.
    #[error(transparent)]
    Extraction(#[from] ArchiveError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unreadable> for SourceError {
    fn from(Unreadable { path, source }: Unreadable) -> Self {
        Self::Read { path, source }
    }
}

impl SourceError {
    /// For `map_err`: `path` cannot be read.
    pub(super) fn read(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Read {
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for SourceError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::NoSuchPath { .. }
            | Self::NoSuchSubdirectory { .. }
            | Self::NoManifest { .. }
            | Self::Offline { .. } => ErrorClass::NotFound,
            Self::NotAFolder { .. } | Self::Read { .. } => ErrorClass::Failed,
            Self::FolderOfThisName { source, .. } => source.class(),
            Self::Manifest(error) => error.class(),
            Self::Git(error) => error.class(),
            Self::Download(error) => error.class(),
            Self::Extraction(error) => error.class(),
            Self::Store(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        Some(match self {
            Self::NoSuchPath { path } => NextStep::advice(format!(
                "a source on GitHub is spelt `user/repo`, a path like `{}` starts with `.` or `/`",
                path.display()
            )),
            Self::NotAFolder { .. } => NextStep::advice("name the folder that holds manifest.json"),
            Self::NoSuchSubdirectory { .. } => {
                NextStep::advice("the folder is relative to the root of the repository")
            }
            Self::NoManifest { .. } => NextStep::StartFromTemplate,
            Self::Offline { .. } => NextStep::GoOnline,
            Self::FolderOfThisName { folder, .. } => NextStep::advice(format!(
                "a folder of this name is here: it is spelt `./{}`",
                folder.display()
            )),
            Self::Read { source, .. } => return NextStep::for_access(source),
            Self::Manifest(error) => return error.next_step(),
            Self::Git(error) => return error.next_step(),
            Self::Download(error) => return error.next_step(),
            Self::Extraction(error) => return error.next_step(),
            Self::Store(error) => return error.next_step(),
        })
    }
}
