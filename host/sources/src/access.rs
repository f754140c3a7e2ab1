//! How servers are reached.

use crate::download::Downloader;
use modelzoo_base::progress::{Cancellation, Observer};
use std::fmt;

/// How servers are reached, who hears of it, and what stops it.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// Makes the connections: it knows mirrors and tokens, how long a server may be silent, and whether there is a
    /// network at all.
    pub downloader: &'a Downloader,
    /// Is told how a fetch or a download goes.
    pub observer: &'a dyn Observer,
    /// Stops it.
    pub cancellation: &'a Cancellation,
}

impl fmt::Debug for Access<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Access")
            .field("downloader", self.downloader)
            .finish_non_exhaustive()
    }
}
