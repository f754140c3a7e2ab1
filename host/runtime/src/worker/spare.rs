//! A worker with its model loaded, made ready while another one works: when that dies, nobody waits for a start.

use super::{loader::Loader, process::Worker};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// How long the end of a spare is waited for that is still being made ready.
const FAREWELL: Duration = Duration::from_secs(1);

/// A worker that is being made ready, or is so.
#[derive(Debug)]
pub(super) struct Spare(mpsc::Receiver<Option<Worker>>);

impl Spare {
    /// Begins to make one ready, on a thread of its own.
    pub(super) fn begin(loader: &Arc<Loader>) -> Self {
        let (ready, spare) = mpsc::sync_channel(1);
        let loader = Arc::clone(loader);
        thread::spawn(move || {
            let loaded = loader.start();
            if let Err(failure) = &loaded {
                tracing::debug!(?failure, "there is no spare worker");
            }
            // An error means that nobody needs it any more: it is ended here.
            let _ = ready.send(loaded.ok().map(|loaded| loaded.worker));
        });
        Self(spare)
    }

    /// Waits until it is ready. `None` where it could not be made ready, or has ended meanwhile.
    pub(super) fn take(self) -> Option<Worker> {
        self.0.recv().ok()?.filter(Worker::is_alive)
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        // One that is ready is ended with what is received; a thread that is at it still would be cut off where the
        // program ends.
        let _ = self.0.recv_timeout(FAREWELL);
    }
}
