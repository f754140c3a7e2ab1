//! When a worker last showed that it lives.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// When a worker last showed that it lives: by taking a question, or by asking for a service. While the host serves it,
/// it is the host that takes its time.
#[derive(Debug)]
pub(super) struct Liveness(Mutex<Option<Instant>>);

impl Liveness {
    /// It lives now.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Some(Instant::now())))
    }

    /// It lives, and the host has nothing to do for it.
    pub(super) fn note(&self) {
        self.set(Some(Instant::now()));
    }

    /// It lives, and waits for the host until the next [`note`](Self::note).
    pub(super) fn note_waiting(&self) {
        self.set(None);
    }

    /// For how long it has given no sign of life.
    pub(super) fn silence(&self) -> Duration {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.map_or(Duration::ZERO, |last| last.elapsed())
    }

    fn set(&self, last: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}
