use super::ordered::map_ordered;
use crate::{EngineError, ItemError, SinkError};
use crossbeam_channel::bounded;
use modelzoo_data::{
    input::{InputError, InputFile},
    media::{Decoded, Decoder, Metadata, RgbImage},
};
use modelzoo_plugin_api::{Error as PluginError, Image, ModelInfo};
use modelzoo_runtime::RuntimeError;
use std::{num::NonZeroUsize, path::PathBuf, thread};

/// How pictures go through a model.
#[derive(Clone, Copy, Debug)]
pub struct PipelineOptions {
    /// How many pictures the model gets at once.
    pub batch_size: NonZeroUsize,
    /// How many threads decode.
    pub workers: NonZeroUsize,
    /// How files become pixels.
    pub decoder: Decoder,
}

/// The batch size of models that have no wish of their own.
const DEFAULT_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

impl PipelineOptions {
    /// The batch size that the model wishes for, decoding on every core.
    pub fn for_model(info: &ModelInfo) -> Self {
        let wish = info.preferred_batch_size.and_then(NonZeroUsize::new);
        Self {
            batch_size: wish.unwrap_or(DEFAULT_BATCH_SIZE),
            workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            decoder: Decoder::default(),
        }
    }
}

/// What came of one picture.
#[derive(Debug)]
pub struct Item<T> {
    /// The file; or the folder or list that could not be read.
    pub filepath: PathBuf,
    /// Its name below the input, to be joined to an output folder; empty where nothing was read.
    pub relative_path: PathBuf,
    /// What is known of the file; `None` where it could not be read.
    pub metadata: Option<Metadata>,
    /// The pixels; `None` where they could not be read.
    pub image: Option<RgbImage>,
    /// What the model said, or why it said nothing.
    pub result: Result<T, ItemError>,
}

impl<T> Item<T> {
    /// The same picture with what `map` makes of its result.
    pub(crate) fn and_then<U>(self, map: impl FnOnce(T) -> Result<U, ItemError>) -> Item<U> {
        Item {
            filepath: self.filepath,
            relative_path: self.relative_path,
            metadata: self.metadata,
            image: self.image,
            result: self.result.and_then(map),
        }
    }
}

/// How a run went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Pictures with a result.
    pub done: u64,
    /// Pictures without one.
    pub failed: u64,
}

/// Gives the pictures to `call` in batches and hands every item on to `sink`, in order.
///
/// Decoding, the model and the sink run side by side, at most about three batches apart.
pub(crate) fn run<T: Send>(
    files: impl Iterator<Item = Result<InputFile, InputError>> + Send,
    options: &PipelineOptions,
    mut call: impl FnMut(&[Image<'_>]) -> Result<Vec<Result<T, PluginError>>, RuntimeError>,
    mut sink: impl FnMut(Item<T>) -> Result<(), SinkError> + Send,
) -> Result<Summary, EngineError> {
    let batch_size = options.batch_size;
    let decoder = options.decoder;
    thread::scope(|scope| {
        let (to_sink, from_model) = bounded::<Vec<Item<T>>>(1);
        let sink = scope.spawn(move || {
            let mut summary = Summary::default();
            for item in from_model.into_iter().flatten() {
                match item.result {
                    Ok(_) => summary.done += 1,
                    Err(_) => summary.failed += 1,
                }
                sink(item)?;
            }
            Ok(summary)
        });

        let decode = move |file: Result<InputFile, InputError>| match file {
            Ok(file) => {
                let decoded = decoder.decode_path(&file.path).map_err(ItemError::from);
                Input {
                    filepath: file.path,
                    relative_path: file.relative_path,
                    decoded,
                }
            }
            Err(error) => Input {
                filepath: error.path().map(PathBuf::from).unwrap_or_default(),
                relative_path: PathBuf::new(),
                decoded: Err(error.into()),
            },
        };
        let window = batch_size.saturating_add(options.workers.get());
        let mut decoded = map_ordered(scope, files, options.workers, window, decode);
        let outcome = loop {
            let batch: Vec<Input> = decoded.by_ref().take(batch_size.get()).collect();
            if batch.is_empty() {
                break Ok(());
            }
            match apply_to_batch(batch, &mut call) {
                // The sink hangs up when it fails; its own error is told below.
                Ok(items) => {
                    if to_sink.send(items).is_err() {
                        break Ok(());
                    }
                }
                Err(error) => break Err(error),
            }
        };
        // The feeder and the workers stop once nobody takes their results, the sink once nobody sends.
        drop(decoded);
        drop(to_sink);
        let summary = match sink.join() {
            Ok(written) => written.map_err(EngineError::Sink),
            Err(panic) => std::panic::resume_unwind(panic),
        };
        outcome?;
        summary
    })
}

/// A picture on its way to the model.
struct Input {
    filepath: PathBuf,
    relative_path: PathBuf,
    decoded: Result<Decoded, ItemError>,
}

fn apply_to_batch<T>(
    batch: Vec<Input>,
    call: &mut impl FnMut(&[Image<'_>]) -> Result<Vec<Result<T, PluginError>>, RuntimeError>,
) -> Result<Vec<Item<T>>, EngineError> {
    let images: Vec<Image<'_>> = batch
        .iter()
        .filter_map(|input| input.decoded.as_ref().ok())
        // A decoded picture always has as many bytes as its size says, so none is left out here.
        .flat_map(|decoded| {
            Image::new(
                decoded.image.width as usize,
                decoded.image.height as usize,
                &decoded.image.data,
            )
        })
        .collect();
    let results = if images.is_empty() {
        Vec::new()
    } else {
        call(&images)?
    };
    let mut results = results.into_iter();
    let item = |input: Input| {
        let (metadata, image, result) = match input.decoded {
            Ok(decoded) => {
                let result = results.next().unwrap_or_else(no_result).map_err(ItemError::Model);
                (Some(decoded.metadata), Some(decoded.image), result)
            }
            Err(error) => (None, None, Err(error)),
        };
        Item {
            filepath: input.filepath,
            relative_path: input.relative_path,
            metadata,
            image,
            result,
        }
    };
    Ok(batch.into_iter().map(item).collect())
}

/// The runtime checks that there are as many results as pictures, so this only keeps a mistake there from a panic
/// here.
fn no_result<T>() -> Result<T, PluginError> {
    Err(PluginError::new("the model gave no result for this picture"))
}

#[cfg(test)]
mod tests;
