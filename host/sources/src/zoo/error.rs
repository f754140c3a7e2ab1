//! Why the register has no answer.
use std::io;
use std::path::PathBuf;

use crate::manifest::ManifestError;
use crate::suggest;

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
    /// What the user can do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownModel { .. } => Some(
                "`modelzoo list` shows all models; a source may be named instead: `user/repo`".to_owned(),
            ),
            Self::AmbiguousModel { name, sources } => Some(format!(
                "name the source as well: `{} -n {name}`",
                sources.first()?
            )),
            Self::UnknownSource { .. } => Some("`modelzoo sources list` shows what is registered".to_owned()),
            Self::Manifest(error) => Some(error.hint().to_owned()),
            Self::File { .. } => None,
        }
    }
}
