//! Why the register has no answer.
use crate::manifest::ManifestError;
use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
    suggest,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the register has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No source has a model of this name.
    #[error("no model `{name}` is known{}", suggest::question(suggestions))]
    UnknownModel {
        /// The name that was asked for.
        name: String,
        /// Names that are like it.
        suggestions: Vec<String>,
    },
    /// Several sources have a model of this name.
    #[error("several sources have a model `{name}`: {}", sources.join(", "))]
    AmbiguousModel {
        /// The name that was asked for.
        name: String,
        /// The sources, as they are spelt.
        sources: Vec<String>,
    },
    /// No such source is registered.
    #[error("the source `{identity}` is not registered{}", suggest::question(suggestions))]
    UnknownSource {
        /// Its identity.
        identity: String,
        /// Identities that are like it.
        suggestions: Vec<String>,
    },
    /// The register cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl RegistryError {
    /// For `map_err`: `action` failed on `path`.
    pub(super) fn file(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::File {
            action,
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for RegistryError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::UnknownModel { .. } | Self::UnknownSource { .. } => ErrorClass::NotFound,
            Self::AmbiguousModel { .. } => ErrorClass::Usage,
            Self::File { .. } => ErrorClass::Failed,
            Self::Manifest(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::UnknownModel { .. } => Some(NextStep::ListModels),
            Self::AmbiguousModel { name, sources } => Some(NextStep::NameSource {
                source: sources.first()?.clone(),
                model: name.clone(),
            }),
            Self::UnknownSource { .. } => Some(NextStep::ListSources),
            Self::Manifest(error) => error.next_step(),
            Self::File { source, .. } => NextStep::for_access(source),
        }
    }
}
