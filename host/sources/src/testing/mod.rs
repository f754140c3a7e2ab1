//! What tests of this crate share: repositories and servers.
mod git_server;
mod repository;

pub(crate) use git_server::GitServer;
pub(crate) use repository::{Entry, TestRepository};
