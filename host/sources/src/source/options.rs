//! How a source may be had.

use crate::{access::Access, store::Store};

/// How a source may be had.
#[derive(Clone, Copy, Debug)]
pub struct ResolveOptions<'a> {
    /// Where fetched sources are kept.
    pub store: &'a Store,
    /// How servers are reached. Offline, a branch or tag means what it meant when it was last looked up.
    pub access: Access<'a>,
    /// Whether archives that the store has are downloaded again, to see whether they changed.
    pub refresh: bool,
}
