//! How far a build is.

/// How far a build is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildProgress {
    /// Another build uses the folder; this one goes on after it.
    Waiting,
    /// The crates that the plugin needs are being fetched.
    Fetching,
    /// The crates are being compiled.
    Compiling {
        /// How many are done.
        done: usize,
        /// How many there are.
        total: usize,
        /// The one that was done last.
        last: String,
    },
}
