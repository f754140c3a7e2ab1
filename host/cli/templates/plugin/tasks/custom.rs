//! A model without weights, which gives each picture several labels, in a field each.

use modelzoo_plugin_api::{
    label::{Classification, Regression},
    prelude::*,
};
use std::collections::BTreeMap;

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_classes(["dark", "bright"])
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        // The fields are called `predictions_class` and `predictions_brightness`, unless the user says otherwise.
        Ok(Output::Labels(BTreeMap::from([
            ("class".to_owned(), classify(image).into()),
            (
                "brightness".to_owned(),
                Regression::new(brightness(image)).into(),
            ),
        ])))
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
    fn brightness_is_the_mean_of_all_pixels() {
        let mut pixels = [0; 4 * 2 * 3];
        pixels[18..21].fill(255);
        let image = Image::new(4, 2, &pixels).unwrap();
        assert_eq!(brightness(&image), 0.125);
    }
}
