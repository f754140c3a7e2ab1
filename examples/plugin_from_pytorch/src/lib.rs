//! EfficientNet-Lite0 as a source: what its users can change. The model is in `model.rs`, its network in `network.rs`.

mod model;
mod network;

use modelzoo_candle::{device::Placement, weights::Weights};
use modelzoo_plugin_api::prelude::*;
use std::path::Path;

#[derive(Default)]
struct Source;

export_source!(Source);

impl ModelSource for Source {
    fn load_model(&self, _name: &str, path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        let Settings {} = options.settings()?;
        let weights = Weights::open(path)?;
        let placement = Placement::from_options(&options);
        Ok(Box::new(model::model(&weights, &placement)?))
    }
}

/// What users can change by `--set name=value`: a field each. A misspelt one is an error.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {}
