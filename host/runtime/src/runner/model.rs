//! A loaded model, wherever it runs.

use super::{
    Call, CallFailure,
    batch::{Items, call_for_images},
};
use crate::RuntimeError;
use modelzoo_abi::Reply;
use modelzoo_plugin_api::{
    Array, Image, ModelInfo, Output, PredictOptions,
    message::{self, PluginDescription},
};
use std::fmt;

/// A loaded model. Dropping it ends it.
///
/// The methods may be called from several threads at once; a worker then takes one call after the other.
pub trait LoadedModel: Send + Sync + fmt::Debug {
    /// What the model is and can do.
    fn info(&self) -> &ModelInfo;

    /// What its plugin was built with.
    fn plugin(&self) -> &PluginDescription;

    /// Says what each of `images` shows: a result for each of them, in their order. A batch that fails as a whole is
    /// tried again image by image, so that exactly the guilty images get an error.
    ///
    /// # Errors
    /// When no image can be done any more, for example because the plugin does not start again after a crash.
    fn predict(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Items<Output>, RuntimeError>;

    /// Computes the embedding of each of `images`, as [`predict`](Self::predict) does its outputs.
    ///
    /// # Errors
    /// As for [`predict`](Self::predict).
    fn embed(&self, images: &[Image<'_>]) -> Result<Items<Array>, RuntimeError>;

    /// Calls any method that [`ModelInfo::methods`] lists, with a MessagePack message and buffers.
    ///
    /// # Errors
    /// When the plugin does not know the method, or fails.
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, RuntimeError>;
}

/// A model that is reached through calls.
pub(crate) struct Runner<C> {
    pub(crate) info: ModelInfo,
    pub(crate) plugin: PluginDescription,
    pub(crate) calls: C,
}

impl<C: Call> LoadedModel for Runner<C> {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn plugin(&self) -> &PluginDescription {
        &self.plugin
    }

    fn predict(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Items<Output>, RuntimeError> {
        call_for_images(
            &self.calls,
            message::PREDICT,
            images,
            options,
            message::decode_outputs,
        )
    }

    fn embed(&self, images: &[Image<'_>]) -> Result<Items<Array>, RuntimeError> {
        let options = PredictOptions::default();
        call_for_images(
            &self.calls,
            message::EMBED,
            images,
            &options,
            message::decode_embeddings,
        )
    }

    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, RuntimeError> {
        self.calls
            .call(method, message, buffers)
            .map_err(|failure| match failure {
                CallFailure::ThisCall(error) => RuntimeError::Plugin {
                    action: format!("call {method}"),
                    error,
                },
                CallFailure::EveryCall(error) => error,
            })
    }
}

impl<C> fmt::Debug for Runner<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LoadedModel")
            .field("media_type", &self.info.media_type)
            .field("methods", &self.info.methods)
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}
