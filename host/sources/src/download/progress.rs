//! How a download tells where it is, and how it is told to stop.
use super::FailureReason;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Hears how downloads go; `file` is the destination. Called from the downloading thread, so answer fast.
pub trait Progress: Send + Sync {
    /// Bytes begin to arrive: `done` are there already (a resumed download), `total` are expected, if known.
    fn started(&self, file: &Path, done: u64, total: Option<u64>) {
        let _ = (file, done, total);
    }

    /// `done` bytes are there.
    fn advanced(&self, file: &Path, done: u64) {
        let _ = (file, done);
    }

    /// Another process downloads the same file; this one waits for it.
    fn waiting(&self, file: &Path) {
        let _ = file;
    }

    /// An attempt failed for `reason`; the next one comes after `delay`.
    fn retrying(&self, file: &Path, reason: &FailureReason, delay: Duration) {
        let _ = (file, reason, delay);
    }

    /// The file is there, verified.
    fn finished(&self, file: &Path) {
        let _ = file;
    }
}

/// Progress that nobody looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}

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
