//! Git: from a repository and a revision to a commit, and from a commit to files.
//!
//! Only Git's own protocol is spoken, by libgit2 over connections of ours: no `git` program, no forge's API. A checkout is written blob by
//! blob from the object database, so no hook, filter, attribute or submodule of a repository is ever acted upon.
mod authentication;
mod checkout;
mod error;
mod fetch;
mod refs;
mod transport;

use crate::{
    config::Mirrors,
    download::{Cancellation, Credentials, Downloader},
};

pub use checkout::{Checkout, Omission, OmissionKind};
pub use error::GitError;
pub use fetch::{Commit, Fetched, fetch};
pub use refs::RemoteRefs;

pub(crate) use checkout::check_out;

/// How repositories are reached, and who hears about it.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// Mirrors for URL prefixes.
    pub mirrors: &'a Mirrors,
    /// The token for GitHub. It is sent to GitHub's hosts, and to the mirror of one that the configuration names.
    pub credentials: &'a Credentials,
    /// Makes the connections to servers, and says how long one may be silent.
    pub downloader: &'a Downloader,
    /// Stops a fetch.
    pub cancellation: &'a Cancellation,
    /// Is told how a fetch goes, often; answer fast.
    pub progress: Option<&'a dyn Fn(FetchProgress)>,
}

impl std::fmt::Debug for Access<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            mirrors, credentials, ..
        } = self;
        formatter
            .debug_struct("Access")
            .field("mirrors", mirrors)
            .field("credentials", credentials)
            .finish()
    }
}

/// How far a fetch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchProgress {
    /// Objects that arrived.
    pub received_objects: usize,
    /// Objects that are expected; 0 while that is not known.
    pub total_objects: usize,
    /// Bytes that arrived.
    pub received_bytes: usize,
}
