//! What tests of this crate share: repositories, as a Git library sees them.
mod repository;

pub(crate) use repository::{Entry, TestRepository};
