//! What a model answers when it is asked by the way that it is made for.

use crate::{
    commands::plugin::picture::as_image,
    terminal::{Failure, Result, ensure},
};
use modelzoo::{
    CallError, Frames, Items, LoadedModel, RuntimeError,
    media::RgbImage,
    plugin_api::{Array, Frame, Image, MediaType, Output, PredictOptions, VideoInfo, message},
};

/// A video to try a model on has so many frames.
const FRAMES: u64 = 4;

/// What a model answered, or its own error; the outer error is for what keeps it from answering at all.
pub(super) type Answer<T> = Result<Result<T, CallError>>;

/// A prediction by the way that the model is made for.
pub(super) fn predict(model: &dyn LoadedModel, picture: &RgbImage) -> Answer<Output> {
    let options = PredictOptions::default();
    if model.info().media_type == MediaType::Video {
        let (info, frames) = video(picture);
        return Ok(model.predict_video(&info, frames, &options)?);
    }
    only(model.predict(&[image(picture)?], &options))
}

/// The prediction for a picture that is preprocessed apart.
pub(super) fn predict_prepared(model: &dyn LoadedModel, picture: &RgbImage) -> Result<Output> {
    let prepared = said(only(model.preprocess(&[image(picture)?])))?;
    said(only(
        model.predict_prepared(&[prepared], &PredictOptions::default()),
    ))
}

/// The embedding, which has to be one of numbers.
pub(super) fn embed(model: &dyn LoadedModel, picture: &RgbImage) -> Result<Array> {
    let array = if model.info().media_type == MediaType::Video {
        ensure!(
            model.info().knows(message::EMBED_VIDEO),
            "it says that it has embeddings, but has none of whole videos: `Model::video_embeddings`"
        );
        let (info, frames) = video(picture);
        Ok(model.embed_video(&info, frames)?)
    } else {
        only(model.embed(&[image(picture)?]))
    };
    numbers(said(array)?)
}

/// An embedding, if it is one.
pub(super) fn numbers(embedding: Array) -> Result<Array> {
    let numbers = embedding.to_f64();
    ensure!(!numbers.is_empty(), "the embedding is empty");
    ensure!(
        numbers.iter().all(|number| number.is_finite()),
        "the embedding has infinite values, or some that are no numbers"
    );
    Ok(embedding)
}

/// The picture as a model gets it.
pub(super) fn image(picture: &RgbImage) -> Result<Image<'_>> {
    Ok(as_image(picture).map_err(CallError::from)?)
}

/// The result of a batch of one.
pub(super) fn only<T>(items: Result<Items<T>, RuntimeError>) -> Answer<T> {
    items?
        .into_iter()
        .next()
        .ok_or_else(|| Failure::new("the model gave no result"))
}

/// What the model answered; its own error is as good as any other.
pub(super) fn said<T>(answer: Answer<T>) -> Result<T> {
    Ok(answer??)
}

/// The picture as a short video that does not move.
fn video(picture: &RgbImage) -> (VideoInfo, Frames) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut info = VideoInfo::default();
    (info.width, info.height) = (width, height);
    info.frame_rate = 1.0;
    info.frame_count = Some(FRAMES);
    info.duration = Some(FRAMES as f64);
    let pixels = picture.data().to_vec();
    let frame = move |number: u64| Frame::new(number, (number - 1) as f64, width, height, pixels.clone());
    (info, Box::new((1..=FRAMES).map(frame)))
}
