//! The thread that waits for servers, and the door to it for threads that wait for an answer.

use crate::error::StorageError;
use std::{
    future::Future,
    sync::{LazyLock, mpsc},
};
use tokio::runtime::Runtime;

/// One for the process: connections live in it, which are dear to make.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("modelzoo-storage")
        .enable_all()
        .build()
        .ok()
});

/// Does `work` in the background and waits for it; also where the caller is itself part of an asynchronous program, which
/// may not wait for a runtime.
pub(crate) fn wait_for<T: Send + 'static>(
    work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    let runtime = RUNTIME
        .as_ref()
        .ok_or_else(|| StorageError::other("the system gives no thread for connections"))?;
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
    if let Some(runtime) = RUNTIME.as_ref() {
        runtime.spawn(work);
    }
}
