//! What is told while a model is made ready.

use std::path::Path;

/// A step on the way to a loaded model, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Git objects of a source come in.
    Fetching {
        /// The source.
        source: &'a str,
        /// Objects so far.
        done: u64,
        /// Objects in all, where the server has said.
        total: Option<u64>,
    },
    /// The crates of a plugin come in.
    FetchingCrates,
    /// A plugin is compiled.
    Building {
        /// The crate that was compiled last.
        name: &'a str,
        /// Crates so far.
        done: u64,
        /// Crates in all.
        total: u64,
    },
    /// A file comes in.
    Downloading {
        /// Where it will be.
        file: &'a Path,
        /// Bytes so far.
        done: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// A long step of the plugin itself.
    Plugin {
        /// What it does.
        step: &'a str,
        /// How much is done, in some unit.
        done: u64,
        /// How much there is.
        total: Option<u64>,
    },
    /// The step that was told last is over.
    Over,
}

/// Is told what happens. Called from any thread.
pub trait Observer: Send + Sync {
    /// Takes note of a step.
    fn notice(&self, event: Event<'_>);
}

/// Takes note of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn notice(&self, _event: Event<'_>) {}
}
