//! Plugins that export the contract for C (`modelzoo.h`): their functions as the host knows those of all plugins.
//!
//! What a plugin gives is looked at before it is used: versions, sizes, addresses, lengths. An address that leads nowhere
//! cannot be told from a good one; the worker that follows it ends, as it does whatever else a plugin does to its memory.

mod host;
mod model;
mod plugin;
mod reply;

pub(super) use plugin::{CPlugin, TableFault};
