//! A model without weights, which tells bright pictures from dark ones.

use modelzoo_plugin_api::{label::Classification, prelude::*};

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_classes(["dark", "bright"])
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Ok(classify(image).into())
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
