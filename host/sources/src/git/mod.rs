//! Git: from a repository and a revision to a commit, and from a commit to files.
//!
//! Only Git's own protocol is spoken, by libgit2 over connections of ours: no `git` program, no forge's API. A checkout is written blob by
//! blob from the object database, so no hook, filter, attribute or submodule of a repository is ever acted upon.
mod authentication;
mod checkout;
mod error;
mod fetch;
mod lfs;
mod refs;
mod transport;
mod work_tree;

pub use checkout::{Checkout, Omission, OmissionKind};
pub use error::{GitError, GitReason};
pub use fetch::{Commit, Fetched, fetch};
pub use lfs::LfsPointer;
pub use refs::RemoteRefs;
pub use work_tree::clean_commit;

pub(crate) use checkout::check_out;
pub(crate) use work_tree::tracked_files;
