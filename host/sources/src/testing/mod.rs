//! What tests of this crate share: repositories, servers and disks.
mod git_server;
#[cfg(target_os = "linux")]
mod mount;
mod repository;

pub(crate) use git_server::GitServer;
#[cfg(target_os = "linux")]
pub(crate) use mount::Mounted;
pub(crate) use repository::{Entry, TestRepository};
