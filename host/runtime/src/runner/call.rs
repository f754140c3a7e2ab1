//! The one thing in which the ways to run a plugin differ: how a call gets to the model and back.

use crate::RuntimeError;
use modelzoo_abi::Reply;
use modelzoo_plugin_api::Error as PluginError;

/// A way to call a loaded model.
pub(crate) trait Call: Send + Sync {
    /// Calls `method` with a message and buffers, and waits for the reply.
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, CallFailure>;
}

/// Why a call brought no reply.
#[derive(Debug)]
pub(crate) enum CallFailure {
    /// This call failed; others may work.
    ThisCall(PluginError),
    /// No call will work any more.
    EveryCall(RuntimeError),
}

impl From<PluginError> for CallFailure {
    fn from(error: PluginError) -> Self {
        Self::ThisCall(error)
    }
}
