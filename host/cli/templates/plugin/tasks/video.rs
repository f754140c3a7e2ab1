//! A model without weights, which tells a video's bright frames from its dark ones.

use modelzoo_plugin_api::{Video, VideoModel, label::Classification, prelude::*};
use std::collections::BTreeMap;

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        ModelInfo::video().with_classes(["dark", "bright"])
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Ok(classify(image).into())
    }

    fn videos(&self) -> Option<&dyn VideoModel> {
        Some(self)
    }
}

impl VideoModel for Example {
    fn predict_video(&self, video: &mut Video, _options: &PredictOptions) -> Result<Output> {
        let mut frames = BTreeMap::new();
        while let Some(frame) = video.next_frame()? {
            frames.insert(frame.number(), classify(&frame.image()?).into());
        }
        Ok(Output::Frames(frames))
    }
}

/// The mean of all bytes, 0 to 1.
fn brightness(image: &Image<'_>) -> f64 {
    let sum: u64 = image.pixels().iter().map(|&value| u64::from(value)).sum();
    sum as f64 / image.pixels().len() as f64 / 255.0
}

fn classify(image: &Image<'_>) -> Classification {
    let mean = brightness(image);
    let (label, confidence) = if mean < 0.5 {
        ("dark", 1.0 - mean)
    } else {
        ("bright", mean)
    };
    Classification::new(label).with_confidence(confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_with_one_white_pixel_is_dark() {
        let mut pixels = [0; 4 * 2 * 3];
        pixels[18..21].fill(255);
        let image = Image::new(4, 2, &pixels).unwrap();
        assert_eq!(classify(&image).label.as_deref(), Some("dark"));
    }
}
