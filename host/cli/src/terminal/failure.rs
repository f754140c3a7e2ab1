//! From an error to what the user reads and the exit code: the one place where errors end.

use crate::exit::Exit;
use modelzoo::{
    EngineError, Error, LibraryError, RuntimeError, ZooError,
    dataset::{DatasetError, Reason},
    download::DownloadError,
    format::FormatError,
    git::GitError,
    input::InputError,
    output::OutputError,
    plugin_api::ErrorKind as PluginErrorKind,
    registry::RegistryError,
    source::SourceError,
    store::StoreError,
    trust::TrustError,
};
use std::io::ErrorKind;

/// An error, ready to be told.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, in one line.
    pub message: String,
    /// Why, outermost cause first; without those that the message repeats.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// How the program ends.
    pub exit: Exit,
}

/// An error of the command line's own, with what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Hinted {
    /// What went wrong, in one line.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// How the program ends.
    pub exit: Exit,
}

/// How the program ends, and what to do next.
type Advice = (Exit, Option<String>);

/// Finds out what to tell of an error.
pub fn classify(error: &anyhow::Error) -> Failure {
    let message = error.to_string();
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Errors that pass their cause through, or quote it, say the same twice.
        if !message.contains(&cause) && causes.last() != Some(&cause) {
            causes.push(cause);
        }
    }
    let (exit, hint) = error.chain().find_map(known).unwrap_or((Exit::Failed, None));
    Failure {
        message,
        causes,
        hint,
        exit,
    }
}

/// Whether whoever read the output has seen enough and gone, as `head` does.
pub fn is_reader_gone(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| match cause.downcast_ref::<FormatError>() {
            Some(FormatError::Output(error)) => error.is_broken_pipe(),
            _ => cause
                .downcast_ref::<OutputError>()
                .is_some_and(OutputError::is_broken_pipe),
        })
}

/// What is known of an error here; the outermost known one of a chain counts.
fn known(error: &(dyn std::error::Error + 'static)) -> Option<Advice> {
    if let Some(error) = error.downcast_ref::<Error>() {
        return Some(library(error));
    }
    if let Some(error) = error.downcast_ref::<ZooError>() {
        return Some(zoo(error));
    }
    if let Some(error) = error.downcast_ref::<EngineError>() {
        return Some(engine(error));
    }
    // The commands on sources, trust and the store pass these on as they are.
    if let Some(error) = error.downcast_ref::<RegistryError>() {
        return Some((registry_exit(error), error.hint()));
    }
    if let Some(error) = error.downcast_ref::<TrustError>() {
        return Some((trust_exit(error), error.hint()));
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return Some((store_exit(error), error.hint().map(str::to_owned)));
    }
    if let Some(error) = error.downcast_ref::<InputError>() {
        return Some(input(error));
    }
    if let Some(error) = error.downcast_ref::<DatasetError>() {
        return Some(dataset(error));
    }
    if let Some(error) = error.downcast_ref::<FormatError>() {
        return Some(format(error));
    }
    if let Some(error) = error.downcast_ref::<Hinted>() {
        return Some((error.exit, Some(error.hint.clone())));
    }
    None
}

fn library(error: &Error) -> Advice {
    match error {
        Error::Zoo(error) => zoo(error),
        Error::Input(error) => input(error),
        Error::Format(error) => format(error),
        Error::Engine(error) => engine(error),
        Error::Runtime(error) => (runtime_exit(error), error.hint().map(str::to_owned)),
        _ => (Exit::Failed, None),
    }
}

fn zoo(error: &ZooError) -> Advice {
    match error {
        ZooError::Reference(error) => (Exit::Usage, Some(error.hint().to_owned())),
        ZooError::Source(error) => source(error),
        ZooError::Select(error) => (Exit::NotFound, error.hint()),
        ZooError::Build(error) => (Exit::BuildFailed, error.hint().map(str::to_owned)),
        ZooError::Runtime(error) => (runtime_exit(error), error.hint().map(str::to_owned)),
        ZooError::Download(error) => (download_exit(error), error.hint()),
        ZooError::Trust(error) => (trust_exit(error), error.hint()),
        ZooError::Lock(error) if error.is_integrity() => (Exit::Integrity, error.hint()),
        ZooError::Lock(error) => (Exit::Failed, error.hint()),
        ZooError::NotDownloaded(_) => (
            Exit::NotFound,
            Some("`modelzoo download`, with the same arguments, gets it".to_owned()),
        ),
        ZooError::MovedTag(moved) => (Exit::Integrity, Some(moved.hint())),
        ZooError::Registry(error) => (registry_exit(error), error.hint()),
        ZooError::Unmet { .. } => (
            Exit::Incompatible,
            Some("`requirement_error_level = 1` in the configuration makes it a warning".to_owned()),
        ),
        ZooError::WeightsMismatch { .. } => (
            Exit::Integrity,
            Some("the file was changed or is damaged: get the source again".to_owned()),
        ),
        ZooError::NoPlugin { .. } => (
            Exit::Incompatible,
            Some("`modelzoo plugin new` makes a source whose plugin can be built".to_owned()),
        ),
        ZooError::Archive(error) => (Exit::Failed, Some(error.hint().to_owned())),
        ZooError::Store(error) => (store_exit(error), error.hint().map(str::to_owned)),
        _ => (Exit::Failed, None),
    }
}

fn engine(error: &EngineError) -> Advice {
    match error {
        EngineError::Runtime(error) => (runtime_exit(error), error.hint().map(str::to_owned)),
        EngineError::Unsupported(_) => (
            Exit::Usage,
            Some("`modelzoo info` tells what a model can do".to_owned()),
        ),
        EngineError::InvalidOption { hint, .. } => (Exit::Usage, Some(hint.clone())),
        EngineError::Stopped { .. } => (
            Exit::Failed,
            Some("without --no-skip-failures the other samples are done all the same".to_owned()),
        ),
        EngineError::Input(error) => input(error),
        EngineError::Dataset(error) => dataset(error),
        EngineError::Format(error) => format(error),
        _ => (Exit::Failed, None),
    }
}

fn input(error: &InputError) -> Advice {
    let exit = match error {
        InputError::NotFound { .. } | InputError::NothingFound { .. } => Exit::NotFound,
        InputError::NoInput | InputError::InvalidGlob { .. } => Exit::Usage,
        _ => Exit::Failed,
    };
    (exit, error.hint())
}

fn dataset(error: &DatasetError) -> Advice {
    let exit = match &error.reason {
        Reason::NotFound | Reason::NoSuchField { .. } => Exit::NotFound,
        Reason::InvalidFieldName(_) => Exit::Usage,
        _ => Exit::Failed,
    };
    (exit, error.hint())
}

fn format(error: &FormatError) -> Advice {
    let exit = match error {
        FormatError::Dataset(error) => dataset(error).0,
        FormatError::Input(error) => input(error).0,
        FormatError::UnknownFormat { .. } => Exit::Usage,
        FormatError::Read { source, .. } if source.kind() == ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::Failed,
    };
    (exit, error.hint())
}

fn source(error: &SourceError) -> Advice {
    let exit = match error {
        SourceError::NoSuchPath { .. }
        | SourceError::NoSuchSubdirectory { .. }
        | SourceError::NoManifest { .. }
        | SourceError::Offline { .. }
        | SourceError::Git(
            GitError::NoSuchRepository { .. } | GitError::NoSuchRevision { .. } | GitError::Empty { .. },
        ) => Exit::NotFound,
        SourceError::Store(error) => store_exit(error),
        _ => Exit::Failed,
    };
    (exit, error.hint())
}

fn trust_exit(error: &TrustError) -> Exit {
    if error.is_refusal() {
        Exit::NotTrusted
    } else {
        Exit::Failed
    }
}

fn registry_exit(error: &RegistryError) -> Exit {
    match error {
        RegistryError::UnknownModel { .. } | RegistryError::UnknownSource { .. } => Exit::NotFound,
        RegistryError::AmbiguousModel { .. } => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::Changed { .. } => Exit::Integrity,
        _ => Exit::Failed,
    }
}

fn runtime_exit(error: &RuntimeError) -> Exit {
    match error {
        RuntimeError::Library(LibraryError::Damaged { .. }) => Exit::Integrity,
        RuntimeError::Library(
            LibraryError::NotAPlugin { .. }
            | LibraryError::OtherAbiStable { .. }
            | LibraryError::OtherContract { .. }
            | LibraryError::OtherLayout { .. },
        ) => Exit::Incompatible,
        RuntimeError::Plugin { error, .. } if error.kind() == PluginErrorKind::InvalidOption => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn download_exit(error: &DownloadError) -> Exit {
    match error {
        error if error.is_integrity() => Exit::Integrity,
        error if error.is_not_found() => Exit::NotFound,
        DownloadError::Offline { .. } => Exit::NotFound,
        _ => Exit::Failed,
    }
}
