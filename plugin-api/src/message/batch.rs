//! Batches of images and what comes back for them.

use super::{decode, encode};
use crate::{Array, Error, ErrorKind, Image, Output, PredictOptions, PreparedImage, Result};
use modelzoo_abi::ReplyBuffer;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The message of [`PREDICT`](super::PREDICT), [`EMBED`](super::EMBED) and [`PREPROCESS`](super::PREPROCESS).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictArguments {
    /// The images; their pixels are the buffers beside the message.
    pub images: Vec<ImageRef>,
    /// What the user asked for.
    pub options: PredictOptions,
}

/// A picture whose pixels travel beside the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRef {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Which buffer holds the pixels: height x width x 3 bytes.
    pub buffer: usize,
}

/// What comes back for one item of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<T> {
    /// It worked.
    Done(T),
    /// It did not.
    Failed(Error),
}

impl<T> From<Result<T>> for Outcome<T> {
    fn from(result: Result<T>) -> Self {
        result.map_or_else(Self::Failed, Self::Done)
    }
}

impl<T> From<Outcome<T>> for Result<T> {
    fn from(outcome: Outcome<T>) -> Self {
        match outcome {
            Outcome::Done(value) => Ok(value),
            Outcome::Failed(error) => Err(error),
        }
    }
}

/// Joins the images of a message with their pixels.
///
/// # Errors
/// When a buffer is missing or does not fit its image.
pub fn decode_images<'a>(images: &[ImageRef], buffers: &[&'a [u8]]) -> Result<Vec<Image<'a>>> {
    images
        .iter()
        .map(|image| {
            let pixels = buffers.get(image.buffer).ok_or_else(|| {
                Error::new(format!("image buffer {} is missing", image.buffer))
                    .with_kind(ErrorKind::InvalidInput)
            })?;
            Image::new(image.width, image.height, pixels)
        })
        .collect()
}

/// Encodes the outputs of a batch; their arrays go beside the message.
///
/// # Errors
/// When a label holds something that MessagePack cannot.
pub fn encode_outputs(outputs: Vec<Result<Output>>) -> Result<(Vec<u8>, Vec<ReplyBuffer>)> {
    encode_outcomes(outputs, |output, visit| output.for_each_array(visit))
}

/// Encodes the embeddings of a batch; the numbers go beside the message.
///
/// # Errors
/// When an error holds something that MessagePack cannot.
pub fn encode_embeddings(embeddings: Vec<Result<Array>>) -> Result<(Vec<u8>, Vec<ReplyBuffer>)> {
    encode_outcomes(embeddings, |array, visit| visit(array))
}

/// Encodes preprocessed images; the numbers go beside the message.
///
/// # Errors
/// When an error holds something that MessagePack cannot.
pub fn encode_prepared(images: Vec<Result<PreparedImage>>) -> Result<(Vec<u8>, Vec<ReplyBuffer>)> {
    encode_outcomes(images, |image, visit| visit(&mut image.input))
}

/// Decodes `expected` preprocessed images.
///
/// # Errors
/// When the message is none of preprocessed images, or not of so many.
pub fn decode_prepared(
    message: &[u8],
    buffers: &[&[u8]],
    expected: usize,
) -> Result<Vec<Result<PreparedImage>>> {
    decode_outcomes(message, buffers, expected, |image: &mut PreparedImage, visit| {
        visit(&mut image.input)
    })
}

/// Decodes the outputs of a batch of `expected` items.
///
/// # Errors
/// When the message is none of outputs, or not of so many.
pub fn decode_outputs(message: &[u8], buffers: &[&[u8]], expected: usize) -> Result<Vec<Result<Output>>> {
    decode_outcomes(message, buffers, expected, Output::for_each_array)
}

/// Decodes the embeddings of a batch of `expected` items.
///
/// # Errors
/// When the message is none of embeddings, or not of so many.
pub fn decode_embeddings(message: &[u8], buffers: &[&[u8]], expected: usize) -> Result<Vec<Result<Array>>> {
    decode_outcomes(message, buffers, expected, |array: &mut Array, visit| {
        visit(array)
    })
}

type Visit<'a> = &'a mut dyn FnMut(&mut Array);

fn encode_outcomes<T: Serialize>(
    results: Vec<Result<T>>,
    for_each_array: impl Fn(&mut T, Visit<'_>),
) -> Result<(Vec<u8>, Vec<ReplyBuffer>)> {
    let mut buffers = Vec::new();
    let mut outcomes: Vec<Outcome<T>> = results.into_iter().map(Into::into).collect();
    for outcome in &mut outcomes {
        if let Outcome::Done(value) = outcome {
            for_each_array(value, &mut |array| array.detach(&mut buffers));
        }
    }
    Ok((encode(&outcomes)?, buffers))
}

fn decode_outcomes<T: DeserializeOwned>(
    message: &[u8],
    buffers: &[&[u8]],
    expected: usize,
    for_each_array: impl Fn(&mut T, Visit<'_>),
) -> Result<Vec<Result<T>>> {
    let outcomes: Vec<Outcome<T>> = decode(message)?;
    if outcomes.len() != expected {
        return Err(Error::new(format!(
            "the model gave {} results for a batch of {expected}",
            outcomes.len()
        )));
    }
    let attach = |mut value: T| {
        let mut failure = None;
        for_each_array(&mut value, &mut |array| {
            if let Err(error) = array.attach(buffers) {
                failure.get_or_insert(error);
            }
        });
        failure.map_or(Ok(value), Err)
    };
    Ok(outcomes
        .into_iter()
        .map(|outcome| Result::from(outcome).and_then(attach))
        .collect())
}

#[cfg(test)]
mod tests;
