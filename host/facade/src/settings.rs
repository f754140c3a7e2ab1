//! How a model is loaded.

use modelzoo_plugin_api::{Device, Precision};
use modelzoo_runtime::{Isolation, Sandbox};
use modelzoo_sources::config::PluginOrigin;
use std::{path::PathBuf, time::Duration};

/// How a model is loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadSettings {
    /// Where it runs; `None` asks the configuration.
    pub device: Option<Device>,
    /// What it computes with; one that cannot computes with `f32`, and a warning is logged. With
    /// [`Precision::Int8`] it does so until it is [calibrated](crate::Model::calibrated).
    pub precision: Precision,
    /// How many threads it may use; `None` leaves it to the model.
    pub threads: Option<usize>,
    /// The model's own options, a map.
    pub options: serde_json::Map<String, serde_json::Value>,
    /// Whether the plugin gets a process of its own.
    pub isolation: Isolation,
    /// How long a plugin in a process of its own may give no sign of life before the process is ended; `None` asks the
    /// configuration, [`Duration::MAX`] waits for ever.
    pub stall_timeout: Option<Duration>,
    /// Whether a plugin in a process of its own is shut in, and its build, and FFmpeg from then on; `None` asks the
    /// configuration.
    pub sandbox: Option<Sandbox>,
    /// Whether the plugin that the source's author compiled is taken, or the source is built; `None` asks the configuration.
    pub origin: Option<PluginOrigin>,
    /// The program that is started as a worker, and as a guard of builds; `None` is the running program.
    pub worker_program: Option<PathBuf>,
}
