//! The thread that waits for servers, and the door to it for threads that wait for an answer.

use crate::error::StorageError;
use std::{
    future::Future,
    process,
    sync::{LazyLock, mpsc},
};
use tokio::runtime::Runtime;

/// One for the process: connections live in it, which are dear to make. With the process's number, as one that was forked off
/// has no threads of this one.
static RUNTIME: LazyLock<Option<(u32, Runtime)>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("modelzoo-storage")
        .enable_all()
        .build()
        .ok()?;
    Some((process::id(), runtime))
});

/// Does `work` in the background and waits for it; also where the caller is itself part of an asynchronous program, which
/// may not wait for a runtime.
pub(crate) fn wait_for<T: Send + 'static>(
    work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    let (process, runtime) = RUNTIME
        .as_ref()
        .ok_or_else(|| StorageError::other("the system gives no thread for connections"))?;
    if *process != process::id() {
        let problem =
            "this process was forked off one that had connections, and can have none: start it anew instead";
        return Err(StorageError::other(problem));
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        // Nobody waits any more where the caller's thread has ended.
        let _ = sender.send(work.await);
    });
    receiver
        .recv()
        .unwrap_or_else(|_| Err(StorageError::other("the connection met a fault of the program")))
}

/// Does `work` in the background, and waits for nothing.
pub(crate) fn leave_to_end(work: impl Future<Output = ()> + Send + 'static) {
    if let Some((process, runtime)) = RUNTIME.as_ref()
        && *process == process::id()
    {
        runtime.spawn(work);
    }
}
