//! Plugins in processes of their own: the same program, started again.
//!
//! The host is the parent of its workers and trusts none of them; see `process` for what it starts them with, `child`
//! for what runs in them, `loader` for a model in one, `model` and `spare` for what happens when it dies, and `protocol`
//! for what they say to each other.

mod attention;
mod channel;
mod child;
mod death;
mod environment;
mod folder;
mod frame;
mod line;
mod liveness;
mod loader;
mod mark;
mod memory;
mod model;
mod process;
mod protocol;
mod spare;
mod stderr;

pub use child::run_worker_if_asked;
pub(crate) use model::{describe, download_model, load_model};

use crate::{PluginCode, Sandbox};
use std::{path::PathBuf, time::Duration};

/// What a worker is started with.
#[derive(Clone, Debug)]
pub(crate) struct WorkerSettings {
    /// The plugin that it runs.
    pub(crate) code: PluginCode,
    /// The program to start.
    pub(crate) program: PathBuf,
    /// How long the plugin may give no sign of life.
    pub(crate) stall_timeout: Duration,
    /// Whether it is shut in.
    pub(crate) sandbox: Sandbox,
}
