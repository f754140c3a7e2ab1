//! The least that a plugin can be: one model of pictures, without weights, options and further abilities.

use modelzoo_plugin_api::{label::Regression, prelude::*};
use std::path::Path;

#[derive(Default)]
struct Source;

export_source!(Source);

impl ModelSource for Source {
    fn load_model(&self, _name: &str, _path: &Path, _options: LoadOptions) -> Result<Box<dyn Model>> {
        Ok(Box::new(Mean))
    }
}

struct Mean;

impl Model for Mean {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
    }

    /// The mean of all bytes, 0 to 255.
    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let sum: u64 = image.pixels().iter().map(|&value| u64::from(value)).sum();
        Ok(Regression::new(sum as f64 / image.pixels().len() as f64).into())
    }
}
