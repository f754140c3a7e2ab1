//! Pictures from Python: pixels where they lie, or files to be decoded.

use crate::{
    array::Pixels,
    error::{Result, Usage},
};
use modelzoo::{
    CallError, Decoder, Error, Image, ItemError, RgbImage,
    input::MediaKind,
    media::{DecodeError, MediaError},
};
use pyo3::{prelude::*, pybacked::PyBackedBytes};
use std::{
    num::NonZeroUsize,
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
};

/// A picture as Python gives it.
#[derive(FromPyObject)]
pub enum Picture<'py> {
    /// `[height, width, 3]` of red, green and blue, rows without gaps.
    Pixels(Pixels<'py>),
    /// A file's content.
    Encoded(PyBackedBytes),
    /// A file.
    File(PathBuf),
}

/// The same, to be looked at without the interpreter's lock.
pub enum Source<'a> {
    Pixels(Image<'a>),
    Encoded(&'a [u8]),
    File(&'a Path),
}

impl Picture<'_> {
    /// Where the picture is.
    ///
    /// # Errors
    /// When an array has another shape or layout than [`Picture::Pixels`] says.
    pub fn source(&self) -> Result<Source<'_>> {
        Ok(match self {
            Self::Encoded(bytes) => Source::Encoded(bytes),
            Self::File(path) => Source::File(path),
            Self::Pixels(array) => {
                let shape = array.shape();
                let problem = || {
                    Usage(format!(
                        "an array of shape {shape:?} is no picture [height, width, 3]"
                    ))
                };
                let [height, width, 3] = shape else {
                    return Err(problem().into());
                };
                Source::Pixels(Image::new(width, height, array.bytes()).map_err(|_| problem())?)
            }
        })
    }
}

/// A picture whose pixels are there.
enum Opened<'a> {
    Given(&'a Image<'a>),
    Decoded(RgbImage),
}

/// Asks a model about pictures: those that can be had go to `ask` at once, with their places among all, and the others have
/// their errors in the place of a result.
///
/// # Errors
/// What `ask` gives for all of them.
pub fn ask_about<T>(
    sources: &[Source<'_>],
    ask: impl FnOnce(&[Image<'_>], &[usize]) -> Result<Vec<Result<T, CallError>>, Error>,
) -> Result<Vec<Result<T, ItemError>>> {
    let opened = open_all(sources);
    let (mut images, mut places) = (Vec::new(), Vec::new());
    for (place, picture) in opened.iter().enumerate() {
        let Ok(picture) = picture else { continue };
        places.push(place);
        images.push(match picture {
            Opened::Given(image) => **image,
            Opened::Decoded(image) => {
                let (width, height) = (image.width() as usize, image.height() as usize);
                Image::new(width, height, image.data()).map_err(|error| Error::Model(error.into()))?
            }
        });
    }
    let mut answers = ask(&images, &places)?.into_iter();
    let answered = opened.iter().map(Result::is_ok).collect::<Vec<_>>();
    let mut failures = opened.into_iter().filter_map(Result::err);
    let result = |is_open| match is_open {
        true => answers.next().map(|answer| answer.map_err(ItemError::Model)),
        false => failures.next().map(Err),
    };
    Ok(answered.into_iter().filter_map(result).collect())
}

/// Opens pictures; files are decoded on all processors.
fn open_all<'a>(sources: &'a [Source<'a>]) -> Vec<Result<Opened<'a>, ItemError>> {
    let files = sources
        .iter()
        .filter(|source| !matches!(source, Source::Pixels(_)))
        .count();
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = threads.min(files);
    if threads < 2 {
        return sources.iter().map(open).collect();
    }
    let mut opened: Vec<_> = Vec::with_capacity(sources.len());
    thread::scope(|scope| {
        let share = sources.len().div_ceil(threads);
        let workers: Vec<_> = sources
            .chunks(share)
            .map(|some| scope.spawn(move || some.iter().map(open).collect::<Vec<_>>()))
            .collect();
        for worker in workers {
            // Decoders' own faults are errors of their files, so a panic here is a fault of this function.
            opened.extend(worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
    });
    opened
}

fn open<'a>(source: &'a Source<'a>) -> Result<Opened<'a>, ItemError> {
    let decoder = Decoder::default();
    let decoded = match source {
        Source::Pixels(image) => return Ok(Opened::Given(image)),
        Source::Encoded(bytes) => decoder.decode_bytes(bytes).map_err(in_memory)?,
        Source::File(path) => decoder.decode_path(path)?,
    };
    if let Some(warning) = decoded.warning {
        tracing::warn!("{warning}");
    }
    Ok(Opened::Decoded(decoded.image))
}

/// The error of bytes that are in no file.
fn in_memory(reason: DecodeError) -> ItemError {
    MediaError {
        path: PathBuf::from("<bytes>"),
        reason,
    }
    .into()
}

/// Whether a path is one of a video, going by its ending.
#[pyfunction]
pub fn is_video(path: PathBuf) -> bool {
    MediaKind::from_path(&path) == Some(MediaKind::Video)
}
