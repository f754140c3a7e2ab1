//! Long work that Ctrl-C stops.

use crossbeam_channel::{RecvTimeoutError, bounded};
use modelzoo::Cancellation;
use pyo3::prelude::*;
use std::{panic::resume_unwind, thread, time::Duration};

/// How long a signal waits at most before it is looked at.
pub const LOOK_AFTER: Duration = Duration::from_millis(50);

/// Does `work` on another thread, without the interpreter's lock. A signal whose handler raises, as that of Ctrl-C does,
/// asks it to stop, waits until it has, and raises.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    cancellation: &Cancellation,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    let (done, is_done) = bounded(1);
    thread::scope(|scope| {
        let working = scope.spawn(move || {
            let result = work();
            // The receiver lives as long as this thread.
            let _ = done.send(());
            result
        });
        let mut interrupt = Ok(());
        while py.detach(|| is_done.recv_timeout(LOOK_AFTER)) == Err(RecvTimeoutError::Timeout) {
            if interrupt.is_ok() {
                interrupt = py.check_signals();
            }
            if interrupt.is_err() {
                cancellation.cancel();
            }
        }
        let result = py.detach(|| working.join());
        interrupt?;
        Ok(result.unwrap_or_else(|panic| resume_unwind(panic)))
    })
}
