//! Models of whole videos.

use crate::pictures::{class_of, mean};
use modelzoo_plugin_api::{
    Video, VideoEmbedding, VideoModel,
    label::{Classification, Label, PlainValue, TemporalDetection, TemporalDetections},
    prelude::*,
};
use std::collections::BTreeMap;

/// What a model of videos answers when it is asked about a picture.
fn no_picture() -> Result<Output> {
    Err(Error::unsupported("this model takes videos"))
}

/// Tells from where to where a video is bright, and how many frames it was given.
pub struct Events;

impl Model for Events {
    fn info(&self) -> ModelInfo {
        ModelInfo::video().with_classes(["bright"])
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        no_picture()
    }

    fn videos(&self) -> Option<&dyn VideoModel> {
        Some(self)
    }
}

impl VideoModel for Events {
    fn predict_video(&self, video: &mut Video, _options: &PredictOptions) -> Result<Output> {
        let (mut count, mut bright): (u64, Option<(u64, u64)>) = (0, None);
        while let Some(frame) = video.next_frame()? {
            count += 1;
            if mean(&frame.image()?) >= 0.5 {
                let first = bright.map_or(frame.number(), |(first, _)| first);
                bright = Some((first, frame.number()));
            }
        }
        let events =
            bright.map(|(first, last)| TemporalDetection::new("bright", first, last).with_confidence(1.0));
        Ok(Output::Labels(BTreeMap::from([
            (
                "events".to_owned(),
                Label::from(TemporalDetections::new(events.into_iter().collect())),
            ),
            ("frames_seen".to_owned(), PlainValue::new(count).into()),
        ])))
    }
}

/// Classifies each frame by its brightness.
pub struct Frames;

impl Model for Frames {
    fn info(&self) -> ModelInfo {
        ModelInfo::video().with_classes(["dark", "bright"])
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        no_picture()
    }

    fn videos(&self) -> Option<&dyn VideoModel> {
        Some(self)
    }
}

impl VideoModel for Frames {
    fn predict_video(&self, video: &mut Video, _options: &PredictOptions) -> Result<Output> {
        let mut frames = BTreeMap::new();
        while let Some(frame) = video.next_frame()? {
            let class = class_of(mean(&frame.image()?));
            frames.insert(
                frame.number(),
                Classification::new(class).with_confidence(0.9).into(),
            );
        }
        Ok(Output::Frames(frames))
    }
}

/// Embeds whole videos, and predicts nothing: how many frames it was given, and the mean brightness of these. It takes
/// no black videos.
pub struct Clips;

impl Model for Clips {
    fn info(&self) -> ModelInfo {
        ModelInfo::video()
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        no_picture()
    }

    fn video_embeddings(&self) -> Option<&dyn VideoEmbedding> {
        Some(self)
    }
}

impl VideoEmbedding for Clips {
    fn embed_video(&self, video: &mut Video) -> Result<Array> {
        let (mut count, mut sum) = (0u32, 0.0);
        while let Some(frame) = video.next_frame()? {
            count += 1;
            sum += mean(&frame.image()?);
        }
        let mean = sum / f64::from(count.max(1));
        if mean < 0.01 {
            return Err(Error::new("this video is black"));
        }
        Ok(Array::vector(vec![count as f32, mean as f32]))
    }
}
