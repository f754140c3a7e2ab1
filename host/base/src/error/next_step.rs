//! What to do about an error.

use crate::suggest;
use std::{borrow::Cow, fmt, io, path::PathBuf};

/// What to do about an error, as a value. `Display` says it to anybody; a front end that has commands or buttons for a
/// step puts it into its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextStep {
    /// Look at the code of a source, and allow it to run.
    AllowSource {
        /// Exactly this code, as a person would spell it.
        source: String,
    },
    /// Take back the decision that the source may not run.
    TakeBackDenial {
        /// The source's identity.
        identity: String,
    },
    /// Find out why content differs from what was locked, and then accept the new one.
    AcceptContent {
        /// The source, as a person would spell it.
        source: String,
    },
    /// Compare the commits that a tag names and named before, and then accept the new one.
    AcceptMovedTag {
        /// The source at the tag, as a person would spell it.
        source: String,
    },
    /// Allow the lock to change, and look at the change.
    LetLockChange,
    /// Write the lock.
    WriteLock,
    /// Get the lock back from version control, or write it anew.
    RestoreLock {
        /// The lock file.
        path: PathBuf,
    },
    /// Download the model's weights.
    DownloadModel,
    /// Build or take the plugin of a source, with the weights of its model.
    GetPlugin,
    /// Name one of the models of a source that has several.
    NameModel {
        /// The likeliest, or one for an example.
        name: String,
    },
    /// Name the source of a model, of which several have one of the name.
    NameSource {
        /// One of the sources.
        source: String,
        /// The model.
        model: String,
    },
    /// Look at the models that are known.
    ListModels,
    /// Look at the sources that are registered.
    ListSources,
    /// Look at what the model can do.
    ShowModel,
    /// Spell a source as sources are spelt.
    SpellSource,
    /// Look at a source that is complete, to start from it or to compare.
    StartFromTemplate,
    /// Allow the network to be used.
    GoOnline,
    /// Look after the network, or do without it.
    CheckNetwork,
    /// Make room where the store is, or put the store on another disk.
    FreeSpace,
    /// Make a place of the store writable, or put the store elsewhere.
    AllowWriting,
    /// Put the store elsewhere.
    MoveStore,
    /// Rename a folder whose name plugins cannot be given, or put the store elsewhere, where it is the store's.
    RenameFolder,
    /// Check what the store holds against its hashes, and remove what was changed.
    VerifyStore,
    /// Get a later version of this program.
    UpdateProgram,
    /// Let a sample that fails not end the run.
    PassOverFailures,
    /// Give the plugin more time before it counts as hung.
    WaitLonger,
    /// Make the model take less memory.
    UseLessMemory,
    /// Look at all that the plugin printed, and tell its author.
    ShowPluginOutput,
    /// Run the plugin in this process.
    RunInProcess,
    /// Shut the plugin in as far as this system can.
    RelaxSandbox,
    /// Build the plugin from its source, instead of taking the one that its author compiled.
    BuildPlugin,
    /// Make a bundle, on a machine with network.
    MakeBundle,
    /// Say which bundle it is, by a hash that did not come with it.
    VouchForBundle,
    /// Make a dataset.
    CreateDataset {
        /// Its file.
        path: PathBuf,
    },
    /// Go on with the dataset that there is, or add to it.
    GoOnWithDataset {
        /// Its file.
        path: PathBuf,
    },
    /// Make the dataset the only input, or add the others to it first.
    AddToDataset {
        /// Its file.
        path: PathBuf,
    },
    /// Replace the values that a field has, or choose another field.
    ReplaceValues,
    /// Do a shard again that is done, or write it to another file.
    ReplaceShard,
    /// Name the column that holds the pictures.
    NameColumn,
    /// Name the format of what is written, or give the file an ending that tells it.
    NameFormat {
        /// The formats that are written.
        formats: Vec<&'static str>,
        /// The endings that tell one.
        endings: Vec<&'static str>,
    },
    /// Use one of the names that are like the one given.
    DidYouMean {
        /// The names, the likeliest first; never empty.
        names: Vec<String>,
    },
    /// Advice that is the same everywhere.
    Advice(Cow<'static, str>),
}

impl NextStep {
    /// Advice that is the same everywhere.
    pub fn advice(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Advice(text.into())
    }

    /// Which of the known names may have been meant; `None` where none is like the wanted one.
    pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let names = suggest::nearest(wanted, known);
        (!names.is_empty()).then_some(Self::DidYouMean { names })
    }

    /// What to do about a file or folder of the user's that the system would not let be read or written, where there is
    /// something.
    pub fn for_access(error: &io::Error) -> Option<Self> {
        Some(Self::advice(match error.kind() {
            io::ErrorKind::NotFound => "check that it is there",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "check who may read and write there"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space, or name a place on another disk"
            }
            io::ErrorKind::InvalidData => "check that it is UTF-8 text",
            _ => return None,
        }))
    }

    /// What to do about something of the store that the system would not let be written.
    pub fn for_writing(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::FreeSpace,
            _ => Self::AllowWriting,
        }
    }
}

impl fmt::Display for NextStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AllowSource { source } => {
                return write!(
                    formatter,
                    "its code would run here; after a look at it, allow {source}"
                );
            }
            Self::TakeBackDenial { identity } => {
                return write!(formatter, "take the decision on {identity} back");
            }
            Self::AcceptContent { source } => {
                return write!(
                    formatter,
                    "find out why it changed; to accept it, update {source}"
                );
            }
            Self::AcceptMovedTag { source } => {
                return write!(
                    formatter,
                    "its owner, or somebody in his place, replaced published code: compare the two commits; to accept \
                     the new one, update {source}"
                );
            }
            Self::LetLockChange => "allow the lock to change once, and look at the change",
            Self::GetPlugin => "get the model: its plugin is built then, or taken as its author compiled it",
            Self::WriteLock => "write the lock",
            Self::RestoreLock { path } => {
                let path = path.display();
                return write!(
                    formatter,
                    "restore {path} from version control, or write it anew"
                );
            }
            Self::DownloadModel => "download the model",
            Self::NameModel { name } => return write!(formatter, "name the model, for example `{name}`"),
            Self::NameSource { source, model } => {
                return write!(
                    formatter,
                    "name the source as well, for example `{source}`, of the model `{model}`"
                );
            }
            Self::ListModels => "look at the list of models, or name a source instead: `user/repo`",
            Self::ListSources => "look at the list of sources",
            Self::ShowModel => "look at what the model can do",
            Self::SpellSource => "a source is spelt `user/repo[@ref][//sub/dir]`, or `hf:owner/model`",
            Self::StartFromTemplate => "start from the template of a source, or compare with it",
            Self::GoOnline => "allow the network to be used",
            Self::CheckNetwork => "check the network and the proxy, or work offline with what the store has",
            Self::FreeSpace => "free some space, or put the store (MODELZOO_STORE) on another disk",
            Self::AllowWriting => "check who may write there, or put the store (MODELZOO_STORE) elsewhere",
            Self::MoveStore => "set MODELZOO_STORE to a folder that can be written to",
            Self::RenameFolder => {
                "rename the folder; where it is one of modelzoo's own, MODELZOO_STORE puts the store elsewhere"
            }
            Self::VerifyStore => "verify the store, which removes what was changed",
            Self::UpdateProgram => "use a later version of modelzoo",
            Self::PassOverFailures => "let failures be passed over, and the other samples are done all the same",
            Self::WaitLonger => {
                "if it only needs more time: `plugin.stall_timeout_seconds` in the configuration; 0 waits for ever"
            }
            Self::UseLessMemory => "a smaller batch or a smaller model takes less memory",
            Self::ShowPluginOutput => "look at all that it printed; the source's author should know",
            Self::RunInProcess => "run the plugin in this process, without isolation",
            Self::RelaxSandbox => "let the sandbox use what this system has",
            Self::BuildPlugin => "build the plugin from its source",
            Self::MakeBundle => "make a bundle on a machine with network",
            Self::VouchForBundle => {
                "give the SHA-256 of the bundle as well, if you have it from who made it and by another way than the bundle"
            }
            Self::CreateDataset { path } => return write!(formatter, "make a dataset at {}", path.display()),
            Self::GoOnWithDataset { path } => {
                return write!(
                    formatter,
                    "make {} the input to go on with it, or add to it",
                    path.display()
                );
            }
            Self::AddToDataset { path } => {
                return write!(
                    formatter,
                    "make {} the only input, or add the files to it first",
                    path.display()
                );
            }
            Self::ReplaceValues => "replace the values, or name another field to keep them",
            Self::NameColumn => "name the column that holds the pictures, or their paths or URLs",
            Self::ReplaceShard => "do it again in place of what is there, or write it to another file",
            Self::NameFormat { formats, endings } => {
                let (formats, endings) = (formats.join(", "), endings.join(", "));
                return write!(formatter, "name the format ({formats}), or end in {endings}");
            }
            Self::DidYouMean { names } => return write!(formatter, "did you mean {}?", names.join(" or ")),
            Self::Advice(text) => text,
        })
    }
}
