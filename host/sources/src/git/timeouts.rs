//! How long a Git server may be silent.
use std::sync::Once;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Makes libgit2 give up a server that sends nothing for `stall_timeout`, instead of waiting for it for ever. It has one
/// setting for all connections of a process: the first call counts.
pub(super) fn set(stall_timeout: Duration) {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let milliseconds = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        #[allow(unsafe_code, reason = "libgit2 has no other way to set this")]
        // SAFETY: two aligned integers are written. libgit2 reads them when it opens a connection, and all of this crate
        // are opened after this `Once`. A program that uses libgit2 beside it sees the old values or the new ones.
        let set = unsafe {
            git2::opts::set_server_connect_timeout_in_milliseconds(milliseconds(CONNECT_TIMEOUT))
                .and_then(|()| git2::opts::set_server_timeout_in_milliseconds(milliseconds(stall_timeout)))
        };
        if let Err(error) = set {
            tracing::debug!("libgit2 will wait for silent servers: {error}");
        }
    });
}
