//! Run any model that someone published in a Git repository, natively.
#![forbid(unsafe_code)]
