//! How long servers are waited for, and how often they are asked.

use object_store::{ClientOptions, RetryConfig};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request is sent again before it counts as failed.
const RETRY_TIMEOUT: Duration = Duration::from_secs(120);

/// Whole bodies may take as long as they take, as long as something of them comes.
pub(crate) fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout_disabled()
        .with_read_timeout(STALL_TIMEOUT)
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig {
        retry_timeout: RETRY_TIMEOUT,
        ..RetryConfig::default()
    }
}
