//! What can go wrong.

use modelzoo_base::{
    error::{Diagnose, ErrorClass, NextStep},
    file::about,
};
use modelzoo_data::{format::FormatError, input::InputError};
use modelzoo_engine::EngineError;
use modelzoo_plugin_api::{Error as PluginError, ErrorKind as PluginErrorKind};
use modelzoo_runtime::{BuildError, CallError, RuntimeError, UnfitPrebuilt};
use modelzoo_sources::{
    archive::ArchiveError,
    bundle::BundleError,
    config::ConfigError,
    download::DownloadError,
    git::Omission,
    lock::{LockError, MovedTag},
    manifest::SelectError,
    prebuilt::PrebuiltError,
    reference::ReferenceError,
    registry::{RegistryError, Unmet},
    source::SourceError,
    store::StoreError,
    trust::TrustError,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model cannot be had.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// The inputs cannot be found.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A dataset cannot be made, read or exported.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A run ended before its end.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The plugin cannot be used any longer.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The model failed on this picture.
    #[error(transparent)]
    Model(CallError),
}

/// Why a model cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZooError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The current folder is gone.
    #[error("the current folder cannot be found")]
    CurrentFolder(#[source] io::Error),
    /// The lock cannot be used, or would have to change.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Nothing says where sources, plugins and weights are kept.
    #[error("no store is named for the zoo")]
    NoStore,
    /// A tag points to another commit than the locked one.
    #[error(transparent)]
    MovedTag(Box<MovedTag>),
    /// The source's code may not run.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The register of sources has no answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// This machine lacks what the model needs.
    #[error("{model} does not run here: {}", unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unmet {
        /// The model.
        model: String,
        /// What is missing.
        unmet: Vec<Unmet>,
    },
    /// No compiled plugin of the source is on this machine.
    #[error("no compiled plugin of {identity} is here, which could be compared with its source")]
    NothingCompiled {
        /// The source.
        identity: String,
        /// Whether one could be.
        is_compiled: bool,
    },
    /// The weights are not on this machine.
    #[error("the model {0} is not downloaded")]
    NotDownloaded(String),
    /// The weights' archive cannot be extracted.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The text that should name a source does not.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The source cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source has no such model.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The source was written for Python.
    #[error(
        "{identity} was written for Python: it has no Cargo.toml, and its models can be listed but not loaded"
    )]
    NoPlugin {
        /// The source.
        identity: String,
    },
    /// A published model that the program cannot run, by what its files of settings say.
    #[error("cannot run {identity}: {error}")]
    Published {
        /// The source.
        identity: String,
        /// What the plugin that would run it says.
        error: PluginError,
    },
    /// A published model, and a program without the plugin that runs such models.
    #[error("{identity} is a published model, and this program was built without what runs these")]
    NothingBuiltIn {
        /// The source.
        identity: String,
    },
    /// A file of a published model is kept where nothing says how to get it.
    #[error("{} is a pointer of Git LFS to a file that is kept elsewhere", path.display())]
    KeptElsewhere {
        /// The file.
        path: PathBuf,
    },
    /// The folder that plugins are built in cannot be made.
    #[error("cannot make the folder {} for building plugins", path.display())]
    BuildFolder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The plugin cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The plugin that the source's author compiled cannot be had.
    #[error(transparent)]
    Prebuilt(#[from] PrebuiltError),
    /// The plugin that the source's author compiled is not taken.
    #[error(transparent)]
    Unfit(#[from] UnfitPrebuilt),
    /// The plugin cannot be run.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A bundle cannot be made or taken.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The weights cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The weights that the source carries are not those that its manifest names.
    #[error("{} is not what the manifest says: its SHA-256 is {actual} instead of {expected}", path.display())]
    WeightsMismatch {
        /// The file.
        path: PathBuf,
        /// What it is.
        actual: String,
        /// What it should be.
        expected: String,
    },
    /// The weights that the manifest names are a file that the source does not really have.
    #[error("{source_identity} has no weights: {omission}")]
    OmittedWeights {
        /// The source.
        source_identity: String,
        /// The file, and why it is missing.
        omission: Omission,
    },
    /// The weights cannot be read or put in their place.
    #[error("cannot use the weights {}", path.display())]
    WeightsFile {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The manifest names a way to get the weights that this version does not know.
    #[error("the manifest's manager {type_name:?} is not known: {model} cannot be downloaded")]
    UnknownManager {
        /// The model.
        model: String,
        /// The manager's type.
        type_name: String,
    },
}

impl Diagnose for Error {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Zoo(error) => error.class(),
            Self::Input(error) => error.class(),
            Self::Format(error) => error.class(),
            Self::Engine(error) => error.class(),
            Self::Runtime(error) => error.class(),
            Self::Model(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Zoo(error) => error.next_step(),
            Self::Input(error) => error.next_step(),
            Self::Format(error) => error.next_step(),
            Self::Engine(error) => error.next_step(),
            Self::Runtime(error) => error.next_step(),
            Self::Model(error) => error.next_step(),
        }
    }
}

impl ZooError {
    /// For `map_err`: the weights in `path` cannot be used.
    pub(crate) fn weights_file(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::WeightsFile {
            source: about(&path, error),
            path: path.clone(),
        }
    }
}

impl Diagnose for ZooError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Config(error) => error.class(),
            Self::Lock(error) => error.class(),
            Self::MovedTag(error) => error.class(),
            Self::Trust(error) => error.class(),
            Self::Registry(error) => error.class(),
            Self::Archive(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Reference(error) => error.class(),
            Self::Source(error) => error.class(),
            Self::Select(error) => error.class(),
            Self::Build(error) => error.class(),
            Self::Prebuilt(error) => error.class(),
            Self::Unfit(error) => error.class(),
            Self::Runtime(error) => error.class(),
            Self::Bundle(error) => error.class(),
            Self::Download(error) => error.class(),
            Self::NotDownloaded(_) | Self::NothingCompiled { .. } => ErrorClass::NotFound,
            Self::Unmet { .. } | Self::NoPlugin { .. } | Self::NothingBuiltIn { .. } => {
                ErrorClass::Incompatible
            }
            Self::Published { error, .. } if error.kind() == PluginErrorKind::Unsupported => {
                ErrorClass::Incompatible
            }
            Self::WeightsMismatch { .. } => ErrorClass::Integrity,
            Self::CurrentFolder(_)
            | Self::NoStore
            | Self::Published { .. }
            | Self::KeptElsewhere { .. }
            | Self::BuildFolder { .. }
            | Self::OmittedWeights { .. }
            | Self::WeightsFile { .. }
            | Self::UnknownManager { .. } => ErrorClass::Failed,
        }
    }

    fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::Config(error) => error.next_step(),
            Self::Lock(error) => error.next_step(),
            Self::MovedTag(error) => error.next_step(),
            Self::Trust(error) => error.next_step(),
            Self::Registry(error) => error.next_step(),
            Self::Archive(error) => error.next_step(),
            Self::Store(error) => error.next_step(),
            Self::Reference(error) => error.next_step(),
            Self::Source(error) => error.next_step(),
            Self::Select(error) => error.next_step(),
            Self::Build(error) => error.next_step(),
            Self::Prebuilt(error) => error.next_step(),
            Self::Unfit(error) => error.next_step(),
            Self::Runtime(error) => error.next_step(),
            Self::Bundle(error) => error.next_step(),
            Self::Download(error) => error.next_step(),
            Self::NotDownloaded(_) => Some(NextStep::DownloadModel),
            Self::NothingCompiled { is_compiled, .. } => Some(match is_compiled {
                true => NextStep::GetPlugin,
                false => NextStep::advice("its models run without code of its own"),
            }),
            Self::Unmet { .. } => Some(NextStep::advice(
                "`requirement_error_level = 1` in the configuration makes it a warning",
            )),
            Self::NoPlugin { .. } => Some(NextStep::StartFromTemplate),
            Self::Published { error, .. } => error.hint().map(|hint| NextStep::advice(hint.to_owned())),
            Self::NothingBuiltIn { .. } => Some(NextStep::advice(
                "build the program with the feature `built-in-models` of the crate modelzoo",
            )),
            Self::KeptElsewhere { .. } => Some(NextStep::advice(
                "`git lfs pull` in the repository gets it; from Hugging Face, `hf:owner/name` does",
            )),
            Self::WeightsMismatch { .. } => Some(NextStep::advice(
                "the file was changed or is damaged: get the source again",
            )),
            Self::CurrentFolder(_) => Some(NextStep::advice("change to a folder that is there")),
            Self::BuildFolder { source, .. } => Some(NextStep::for_writing(source)),
            Self::WeightsFile { source, .. } => NextStep::for_access(source),
            Self::NoStore | Self::OmittedWeights { .. } | Self::UnknownManager { .. } => None,
        }
    }
}
