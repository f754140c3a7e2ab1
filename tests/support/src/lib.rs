//! What the tests of several crates share: real servers, small disks, media, programs that start themselves. It knows
//! none of the crates that it helps to test, so that each of them can use it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(missing_debug_implementations, reason = "nobody prints a test server")]

pub mod alone;
pub mod book;
pub mod files;
pub mod git_server;
pub mod http_server;
pub mod levels;
pub mod media;
#[cfg(target_os = "linux")]
pub mod mount;
pub mod ssh_server;
pub mod terminal;
