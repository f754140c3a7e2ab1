//! The one thing in which the ways to run a plugin differ: how a call gets to the model and back.

use crate::{CallError, LibraryError, RuntimeError, SandboxLayer, SharedMemory, WorkerDeath};
use modelzoo_abi::Reply;
use modelzoo_plugin_api::Error as PluginError;
use std::{num::NonZeroUsize, sync::Arc};

/// A way to call a loaded model.
pub(crate) trait Call: Send + Sync {
    /// Calls `method` with a message and buffers, and waits for the reply.
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, CallFailure>;

    /// How many calls are worth making at once.
    fn under_way(&self) -> NonZeroUsize;

    /// The memory in which pictures reach the model without being copied.
    fn memory(&self) -> Option<&Arc<SharedMemory>>;

    /// The process that the model is in; `None` while it has none.
    fn process_id(&self) -> Option<u32>;
}

/// Why a call brought no reply.
#[derive(Debug)]
pub(crate) enum CallFailure {
    /// This call failed; others may work.
    ThisCall(CallError),
    /// This call failed over the item of this index, where it was for several.
    OneItem(usize, CallError),
    /// No call will work any more.
    EveryCall(RuntimeError),
}

impl CallFailure {
    /// The failure of what the caller was doing: `action`.
    pub(crate) fn of(self, action: impl Into<String>) -> RuntimeError {
        match self {
            Self::ThisCall(error) | Self::OneItem(_, error) => match error {
                CallError::Plugin(error) => LoadFailure::Plugin(error).of(action),
                CallError::WorkerDied(death) => LoadFailure::Died(death).of(action),
            },
            Self::EveryCall(error) => error,
        }
    }
}

impl From<PluginError> for CallFailure {
    fn from(error: PluginError) -> Self {
        Self::ThisCall(error.into())
    }
}

/// Why a plugin could not be opened, or a model not be downloaded or loaded.
#[derive(Debug)]
pub(crate) enum LoadFailure {
    /// The library cannot be used.
    Library(LibraryError),
    /// The plugin answered with an error.
    Plugin(PluginError),
    /// The worker has not all layers of the sandbox, and must have them.
    NotShutIn(Vec<SandboxLayer>),
    /// The worker died.
    Died(WorkerDeath),
    /// Anything that is told already.
    Runtime(RuntimeError),
}

impl LoadFailure {
    /// The failure of what the caller was doing: `action`.
    pub(crate) fn of(self, action: impl Into<String>) -> RuntimeError {
        let action = action.into();
        match self {
            Self::Library(error) => error.into(),
            Self::NotShutIn(missing) => RuntimeError::SandboxUnavailable(missing),
            Self::Plugin(error) => RuntimeError::Plugin { action, error },
            Self::Died(death) => RuntimeError::WorkerDied { action, death },
            Self::Runtime(error) => error,
        }
    }
}

impl From<LibraryError> for LoadFailure {
    fn from(error: LibraryError) -> Self {
        Self::Library(error)
    }
}

impl From<PluginError> for LoadFailure {
    fn from(error: PluginError) -> Self {
        Self::Plugin(error)
    }
}
