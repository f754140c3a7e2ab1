//! What the libraries tell through `tracing`, shown on standard error.

use crate::arguments::Global;
use tracing_subscriber::EnvFilter;

/// Shows warnings, and more with `-v` (`MODELZOO_LOG` takes tracing's filter syntax).
pub fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    };
    let filter = EnvFilter::try_from_env("MODELZOO_LOG").unwrap_or_else(|_| {
        // Only this program's own crates: the libraries below tell a lot at these levels.
        EnvFilter::new(format!("modelzoo={level},modelzoo_sources={level},modelzoo_runtime={level},modelzoo_data={level},modelzoo_engine={level}"))
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
}
