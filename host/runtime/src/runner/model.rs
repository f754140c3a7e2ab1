//! A loaded model, wherever it runs.

use super::{
    Call, CallFailure, Frames, PluginServices,
    batch::{Items, call_for},
    process_memory,
};
use crate::{CallError, RuntimeError, SandboxReport, SharedMemory};
use modelzoo_abi::{Reply, ReplyBuffer};
use modelzoo_plugin_api::{
    Array, Image, ModelInfo, Output, PredictOptions, PreparedImage, Result as PluginResult, SampleFields,
    VideoInfo,
    message::{
        self, ImageRef, PluginDescription, PredictArguments, PreparedArguments, PromptArguments,
        SampleArguments, VideoArguments,
    },
};
use serde::Serialize;
use std::{fmt, num::NonZeroUsize, sync::Arc};

/// A loaded model. Dropping it ends it.
///
/// Methods for several items give a result for each of them, in their order. A batch that fails as a whole is tried again
/// item by item, so that exactly the guilty items get an error; one that ends its worker is so only where the plugin did
/// not tell over which item it was.
///
/// The methods may be called from several threads at once; a worker then takes one call after the other, and the next one
/// is at hand when it has answered. Which of them
/// the model knows is told by [`info`](Self::info): the others give every item an error of kind `Unsupported`.
///
/// All of them fail as a whole only when the plugin cannot be called any more, for example because its worker does
/// not start again after a crash.
pub trait LoadedModel: Send + Sync + fmt::Debug {
    /// What the model is and can do.
    fn info(&self) -> &ModelInfo;

    /// What its plugin was built with.
    fn plugin(&self) -> &PluginDescription;

    /// Says what each of `images` shows.
    ///
    /// # Errors
    /// When no image can be done any more.
    fn predict(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Items<Output>, RuntimeError>;

    /// Computes the embedding of each of `images`.
    ///
    /// # Errors
    /// When no image can be done any more.
    fn embed(&self, images: &[Image<'_>]) -> Result<Items<Array>, RuntimeError>;

    /// Gets the model ready for a run. A worker that is started again gets ready again.
    ///
    /// # Errors
    /// When the model cannot be made ready, or has no session.
    fn setup(&self) -> Result<(), RuntimeError>;

    /// Ends a run.
    ///
    /// # Errors
    /// When the model could not release something.
    fn teardown(&self) -> Result<(), RuntimeError>;

    /// Makes the model's input for each of `images`.
    ///
    /// # Errors
    /// When no image can be done any more.
    fn preprocess(&self, images: &[Image<'_>]) -> Result<Items<PreparedImage>, RuntimeError>;

    /// Says what each of the preprocessed `images` shows.
    ///
    /// # Errors
    /// When no image can be done any more.
    fn predict_prepared(
        &self,
        images: &[PreparedImage],
        options: &PredictOptions,
    ) -> Result<Items<Output>, RuntimeError>;

    /// Says what each image shows, given the fields of its sample.
    ///
    /// # Errors
    /// When no image can be done any more.
    fn predict_samples(
        &self,
        samples: &[(Image<'_>, SampleFields)],
        options: &PredictOptions,
    ) -> Result<Items<Output>, RuntimeError>;

    /// Computes the embedding of each text.
    ///
    /// # Errors
    /// When no text can be done any more.
    fn embed_prompts(&self, prompts: &[String]) -> Result<Items<Array>, RuntimeError>;

    /// Says what a video shows. The model pulls as many of the `frames` as it needs. The inner error concerns this
    /// video.
    ///
    /// # Errors
    /// When no video can be done any more.
    fn predict_video(
        &self,
        info: &VideoInfo,
        frames: Frames,
        options: &PredictOptions,
    ) -> Result<Result<Output, CallError>, RuntimeError>;

    /// Computes the embedding of a video as a whole. The model pulls as many of the `frames` as it needs. The inner
    /// error concerns this video.
    ///
    /// # Errors
    /// When no video can be done any more.
    fn embed_video(&self, info: &VideoInfo, frames: Frames)
    -> Result<Result<Array, CallError>, RuntimeError>;

    /// Calls any method that [`ModelInfo::methods`] lists, with a MessagePack message and buffers.
    ///
    /// # Errors
    /// When the plugin does not know the method, or fails.
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, RuntimeError>;

    /// How many calls are worth making at once: more than one where the next one gets to the model's process while that is
    /// at work.
    fn calls_under_way(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// The memory in which pictures should lie: from there they reach the model without being copied.
    fn memory(&self) -> Option<&Arc<SharedMemory>> {
        None
    }

    /// How the model's process is shut in: by nothing where it is this one.
    fn sandbox(&self) -> &SandboxReport {
        static NOT_AT_ALL: SandboxReport = SandboxReport { in_force: Vec::new() };
        &NOT_AT_ALL
    }

    /// The most memory that the model's process has held so far, in bytes: of its worker, or else of this process.
    /// `None` where the system does not tell.
    fn peak_memory(&self) -> Option<u64>;
}

/// A model that is reached through calls.
pub(crate) struct CalledModel<C> {
    pub(crate) info: ModelInfo,
    pub(crate) plugin: PluginDescription,
    pub(crate) sandbox: SandboxReport,
    pub(crate) services: Arc<PluginServices>,
    pub(crate) calls: C,
}

/// Reads the reply to a call for so many items.
type Decode<T> = fn(message: &[u8], buffers: &[&[u8]], expected: usize) -> PluginResult<Vec<PluginResult<T>>>;

impl<C: Call> CalledModel<C> {
    /// Calls `method` for so many items at once.
    fn once<T>(
        &self,
        method: &str,
        arguments: &impl Serialize,
        buffers: &[&[u8]],
        (decode, expected): (Decode<T>, usize),
    ) -> Result<Items<T>, CallFailure> {
        let reply = self.calls.call(method, &message::encode(arguments)?, buffers)?;
        let buffers: Vec<&[u8]> = reply.buffers.iter().map(ReplyBuffer::bytes).collect();
        let results = decode(&reply.message, &buffers, expected)?;
        Ok(results
            .into_iter()
            .map(|result| result.map_err(CallError::from))
            .collect())
    }

    /// Calls `method` for images.
    fn for_images<T>(
        &self,
        method: &str,
        images: &[Image<'_>],
        options: &PredictOptions,
        decode: Decode<T>,
    ) -> Result<Items<T>, RuntimeError> {
        call_for(images, |images| {
            let arguments = PredictArguments {
                images: references(images),
                options: options.clone(),
            };
            let pixels: Vec<&[u8]> = images.iter().map(Image::pixels).collect();
            self.once(method, &arguments, &pixels, (decode, images.len()))
        })
    }

    /// Calls `method` for a video, which is open meanwhile.
    fn for_video<T>(
        &self,
        method: &str,
        mut arguments: VideoArguments,
        frames: Frames,
        decode: Decode<T>,
    ) -> Result<Result<T, CallError>, RuntimeError> {
        let video = self.services.videos.open(frames);
        arguments.reader = video.number;
        match self.once(method, &arguments, &[], (decode, 1)) {
            // The decoder made sure that there is exactly one.
            Ok(mut results) => Ok(results.remove(0)),
            Err(CallFailure::ThisCall(error) | CallFailure::OneItem(_, error)) => Ok(Err(error)),
            Err(CallFailure::EveryCall(error)) => Err(error),
        }
    }

    /// Calls a method that takes and gives nothing.
    fn plain(&self, method: &str) -> Result<(), RuntimeError> {
        let nothing = message::encode(&()).map_err(CallFailure::from);
        nothing
            .and_then(|nothing| self.calls.call(method, &nothing, &[]))
            .map(drop)
            .map_err(|failure| failure.of(format!("call {method}")))
    }
}

/// What a message says of images whose pixels are the buffers beside it.
fn references(images: &[Image<'_>]) -> Vec<ImageRef> {
    let reference = |(buffer, image): (usize, &Image<'_>)| ImageRef {
        width: image.width(),
        height: image.height(),
        buffer,
    };
    images.iter().enumerate().map(reference).collect()
}

impl<C: Call> LoadedModel for CalledModel<C> {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn plugin(&self) -> &PluginDescription {
        &self.plugin
    }

    fn predict(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Items<Output>, RuntimeError> {
        self.for_images(message::PREDICT, images, options, message::decode_outputs)
    }

    fn embed(&self, images: &[Image<'_>]) -> Result<Items<Array>, RuntimeError> {
        let options = PredictOptions::default();
        self.for_images(message::EMBED, images, &options, message::decode_embeddings)
    }

    fn setup(&self) -> Result<(), RuntimeError> {
        self.plain(message::SETUP)
    }

    fn teardown(&self) -> Result<(), RuntimeError> {
        self.plain(message::TEARDOWN)
    }

    fn preprocess(&self, images: &[Image<'_>]) -> Result<Items<PreparedImage>, RuntimeError> {
        let options = PredictOptions::default();
        self.for_images(message::PREPROCESS, images, &options, message::decode_prepared)
    }

    fn predict_prepared(
        &self,
        images: &[PreparedImage],
        options: &PredictOptions,
    ) -> Result<Items<Output>, RuntimeError> {
        call_for(images, |images| {
            let mut buffers = Vec::new();
            let mut images = images.to_vec();
            images
                .iter_mut()
                .for_each(|image| image.input.detach(&mut buffers));
            let buffers: Vec<&[u8]> = buffers.iter().map(ReplyBuffer::bytes).collect();
            let expected = (message::decode_outputs as Decode<Output>, images.len());
            let arguments = PreparedArguments {
                images,
                options: options.clone(),
            };
            self.once(message::PREDICT_PREPARED, &arguments, &buffers, expected)
        })
    }

    fn predict_samples(
        &self,
        samples: &[(Image<'_>, SampleFields)],
        options: &PredictOptions,
    ) -> Result<Items<Output>, RuntimeError> {
        call_for(samples, |samples| {
            let images: Vec<Image<'_>> = samples.iter().map(|(image, _)| *image).collect();
            let arguments = SampleArguments {
                images: references(&images),
                samples: samples.iter().map(|(_, fields)| fields.clone()).collect(),
                options: options.clone(),
            };
            let pixels: Vec<&[u8]> = images.iter().map(Image::pixels).collect();
            let expected = (message::decode_outputs as Decode<Output>, samples.len());
            self.once(message::PREDICT_SAMPLES, &arguments, &pixels, expected)
        })
    }

    fn embed_prompts(&self, prompts: &[String]) -> Result<Items<Array>, RuntimeError> {
        call_for(prompts, |prompts| {
            let arguments = PromptArguments {
                prompts: prompts.to_vec(),
            };
            let expected = (message::decode_embeddings as Decode<Array>, prompts.len());
            self.once(message::EMBED_PROMPTS, &arguments, &[], expected)
        })
    }

    fn predict_video(
        &self,
        info: &VideoInfo,
        frames: Frames,
        options: &PredictOptions,
    ) -> Result<Result<Output, CallError>, RuntimeError> {
        let arguments = VideoArguments {
            info: info.clone(),
            options: options.clone(),
            ..VideoArguments::default()
        };
        self.for_video(message::PREDICT_VIDEO, arguments, frames, message::decode_outputs)
    }

    fn embed_video(
        &self,
        info: &VideoInfo,
        frames: Frames,
    ) -> Result<Result<Array, CallError>, RuntimeError> {
        let arguments = VideoArguments {
            info: info.clone(),
            ..VideoArguments::default()
        };
        self.for_video(
            message::EMBED_VIDEO,
            arguments,
            frames,
            message::decode_embeddings,
        )
    }

    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, RuntimeError> {
        let reply = self.calls.call(method, message, buffers);
        reply.map_err(|failure| failure.of(format!("call {method}")))
    }

    fn calls_under_way(&self) -> NonZeroUsize {
        self.calls.under_way()
    }

    fn memory(&self) -> Option<&Arc<SharedMemory>> {
        self.calls.memory()
    }

    fn sandbox(&self) -> &SandboxReport {
        &self.sandbox
    }

    fn peak_memory(&self) -> Option<u64> {
        process_memory::peak(self.calls.process_id()?)
    }
}

impl<C> fmt::Debug for CalledModel<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LoadedModel")
            .field("media_type", &self.info.media_type)
            .field("methods", &self.info.methods)
            .field("plugin", &self.plugin)
            .field("sandbox", &self.sandbox)
            .finish_non_exhaustive()
    }
}
