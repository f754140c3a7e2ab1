//! The plugin that is linked into the program: it runs published models.

use modelzoo_plugin_api::Error as PluginError;
use modelzoo_runtime::BuiltInPlugin;
use serde_json::{Map, Value};
use std::path::Path;

/// The plugins that are built in.
#[cfg(feature = "built-in-models")]
const PLUGINS: &[BuiltInPlugin] = &[BuiltInPlugin {
    name: "modelzoo-vision",
    version: env!("CARGO_PKG_VERSION"),
    root: modelzoo_vision::root,
}];
#[cfg(not(feature = "built-in-models"))]
const PLUGINS: &[BuiltInPlugin] = &[];

/// Turns this process into a worker, or into the guard of a program that is shut in, when it was started as one.
///
/// A program that embeds modelzoo calls this first in its `main`, before it reads its arguments or starts threads, so that
/// plugins run in worker processes, and builds shut in. In a worker it does not return: it ends the process.
pub fn run_worker_if_asked() {
    modelzoo_runtime::run_worker_if_asked(PLUGINS);
}

/// The plugin that runs published models, where the program has it.
pub(crate) fn plugin_of_published_models() -> Option<BuiltInPlugin> {
    PLUGINS.first().copied()
}

/// Makes sure that the model in a folder can be run, by what its files of settings say; its weights need not be there.
#[cfg(feature = "built-in-models")]
pub(crate) fn check(folder: &Path) -> Result<(), PluginError> {
    modelzoo_vision::check(folder)
}

/// The same for a model that a manifest describes.
#[cfg(feature = "built-in-models")]
pub(crate) fn check_deployment(deployment: &Map<String, Value>) -> Result<(), PluginError> {
    modelzoo_vision::check_deployment(deployment)
}

/// Without the plugin, there is nobody to ask.
#[cfg(not(feature = "built-in-models"))]
pub(crate) fn check_deployment(_deployment: &Map<String, Value>) -> Result<(), PluginError> {
    Ok(())
}

/// Without the plugin, there is nobody to ask.
#[cfg(not(feature = "built-in-models"))]
pub(crate) fn check(_folder: &Path) -> Result<(), PluginError> {
    Ok(())
}

#[cfg(all(test, feature = "built-in-models"))]
mod tests {
    #[test]
    fn what_is_fetched_as_weights_is_what_is_read_as_weights() {
        assert_eq!(
            modelzoo_sources::source::WEIGHT_FILES,
            modelzoo_vision::WEIGHT_FILES
        );
    }
}
