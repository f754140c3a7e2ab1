//! What an operation would do, as a value: it is told, or done.

use serde::Serialize;
use std::path::PathBuf;

/// What an operation is about to do. Whoever only wants to know looks at the steps; whoever wants it done executes the
/// same value, so that what is told and what is done cannot differ.
pub trait Plan {
    /// How a step is told.
    type Step;
    /// What comes of it.
    type Outcome;
    /// Why it may fail.
    type Error;

    /// The steps in their order; none where there is nothing to do.
    ///
    /// # Errors
    /// When it cannot be told: to say how much there is to do, files or a dataset may have to be read.
    fn steps(&self) -> Result<Vec<Self::Step>, Self::Error>;

    /// Takes the steps.
    ///
    /// # Errors
    /// When one of them fails.
    fn execute(self) -> Result<Self::Outcome, Self::Error>;
}

/// A step of the library's own plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
#[non_exhaustive]
pub enum PlannedStep {
    /// A source is fetched. What else there is to do with it, it tells itself, once it is here.
    Fetch {
        /// The source, as a person spells it.
        source: String,
    },
    /// The user is asked whether the source's code may run; where nobody can be asked, this is where it ends.
    Ask {
        /// The source.
        source: String,
        /// Exactly this code, as a person would spell it, for allowing it beforehand.
        allow: String,
    },
    /// The plugin is built.
    Build {
        /// The source.
        source: String,
    },
    /// The plugin that the source's author compiled is taken; where it cannot be had, the source is built.
    TakePrebuilt {
        /// The source.
        source: String,
        /// Where its archive may be.
        from: Vec<String>,
    },
    /// A file of weights is downloaded.
    Download {
        /// Its name.
        file: String,
        /// From where, in the order in which the places are tried; empty when only the plugin knows.
        from: Vec<String>,
        /// Its size, where the manifest says it.
        size_bytes: Option<u64>,
    },
    /// A source is registered.
    Register {
        /// The source.
        source: String,
        /// How many models it has; `None` where it has to be fetched first.
        models: Option<u64>,
    },
    /// A source is forgotten.
    Forget {
        /// The source.
        source: String,
    },
    /// The code of a source may run from now on.
    Allow {
        /// The source.
        source: String,
        /// The hash of its files; `None` where it has to be fetched first.
        tree_hash: Option<String>,
    },
    /// The code of a source or an owner may not run from now on.
    Deny {
        /// The source or owner.
        identity: String,
    },
    /// Decisions on a source or an owner are taken back.
    Revoke {
        /// The source or owner.
        identity: String,
        /// How many.
        decisions: u64,
    },
    /// A file or folder is deleted.
    Delete {
        /// Which.
        path: PathBuf,
    },
    /// Something is changed in a lock file.
    Lock {
        /// The file.
        path: PathBuf,
        /// The change, in words.
        change: String,
    },
    /// Sources, and all that they need to run, are written into one file.
    SaveBundle {
        /// The file.
        path: PathBuf,
        /// The sources.
        sources: Vec<String>,
    },
    /// What is in a bundle is taken into the store; the sources are registered.
    LoadBundle {
        /// The file.
        path: PathBuf,
        /// The sources.
        sources: Vec<String>,
        /// The bytes of all that is in it.
        size_bytes: u64,
    },
    /// A dataset is made.
    CreateDataset {
        /// Its file.
        path: PathBuf,
        /// How many samples it gets.
        samples: u64,
    },
    /// A dataset gets what another program has written.
    Import {
        /// Its file.
        path: PathBuf,
        /// What is read.
        input: PathBuf,
        /// Whether the dataset is made for it.
        is_new: bool,
    },
    /// A dataset is written in another format.
    Export {
        /// The file or folder that is written.
        path: PathBuf,
        /// The format's name.
        format: &'static str,
        /// How many samples are written.
        samples: u64,
        /// A file is there already, which is lost. What is in a folder never is: a format of folders wants an empty one.
        replaces: bool,
    },
}
