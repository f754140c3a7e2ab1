//! Systems on which plugins cannot run in worker processes.

use crate::{
    BuiltInPlugin, LoadedModel, PluginCode, RuntimeError, Sandbox,
    runner::{LoadFailure, PluginServices},
};
use modelzoo_plugin_api::{LoadOptions, message::PluginDescription};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// What a worker is started with.
#[derive(Clone, Debug)]
pub(crate) struct WorkerSettings {
    pub(crate) code: PluginCode,
    pub(crate) program: PathBuf,
    pub(crate) stall_timeout: Duration,
    pub(crate) sandbox: Sandbox,
}

/// Does nothing: this program cannot be started as a worker.
pub fn run_worker_if_asked(_: &[BuiltInPlugin]) {}

pub(crate) fn describe(
    _: &WorkerSettings,
    _: &Arc<PluginServices>,
) -> Result<PluginDescription, LoadFailure> {
    Err(LoadFailure::Runtime(RuntimeError::IsolationUnsupported))
}

pub(crate) fn download_model(
    _: &WorkerSettings,
    _: &Arc<PluginServices>,
    _: &str,
    _: &str,
) -> Result<(), LoadFailure> {
    Err(LoadFailure::Runtime(RuntimeError::IsolationUnsupported))
}

pub(crate) fn load_model(
    _: WorkerSettings,
    _: &Arc<PluginServices>,
    _: &str,
    _: &str,
    _: LoadOptions,
) -> Result<Box<dyn LoadedModel>, LoadFailure> {
    Err(LoadFailure::Runtime(RuntimeError::IsolationUnsupported))
}
