//! What long work tells while it goes on, and how it is stopped.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

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
        /// Bytes so far, those of an earlier attempt among them.
        done: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// A bundle is written.
    Saving {
        /// The bundle.
        file: &'a Path,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A bundle is read.
    Loading {
        /// The bundle.
        file: &'a Path,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// An attempt to download a file failed; the next one comes later.
    Retrying {
        /// Where the file will be.
        file: &'a Path,
        /// Why the attempt failed.
        reason: &'a str,
        /// When the next one comes.
        after: Duration,
    },
    /// Another process is at the same work; this one waits for it.
    Waiting {
        /// The file or folder that the other process makes.
        path: &'a Path,
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

/// Is told what happens. Called from the threads that do the work, often: answer fast.
pub trait Observer: Send + Sync {
    /// Takes note of a step.
    fn notice(&self, event: Event<'_>);
}

impl<F: Fn(Event<'_>) + Send + Sync> Observer for F {
    fn notice(&self, event: Event<'_>) {
        self(event);
    }
}

/// Takes note of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn notice(&self, _event: Event<'_>) {}
}

/// A flag that stops work in other threads within a fraction of a second. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Asks all work that was given this flag, or a clone of it, to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether work is asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
