//! A source to start from: a model without weights, which tells bright pictures from dark ones.

use modelzoo_plugin_api::{label::Classification, prelude::*};
use std::path::Path;

#[derive(Default)]
struct Source;

export_source!(Source);

impl ModelSource for Source {
    // A model with weights names them in manifest.json: `base_filename`, and a `manager` that says where they are.
    // `path` is where they were downloaded to.
    fn load_model(&self, _name: &str, _path: &Path, _options: LoadOptions) -> Result<Box<dyn Model>> {
        Ok(Box::new(Brightness))
    }
}

struct Brightness;

impl Model for Brightness {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_classes(["dark", "bright"])
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let sum: u64 = image.pixels().iter().map(|&value| u64::from(value)).sum();
        let mean = sum as f64 / image.pixels().len() as f64 / 255.0;
        let (label, confidence) = if mean < 0.5 { ("dark", 1.0 - mean) } else { ("bright", mean) };
        Ok(Classification::new(label).with_confidence(confidence).into())
    }
}
