//! MobileNetV2 as a modelzoo source: ImageNet classes and image embeddings.

mod model;
mod network;

pub use model::model;
pub use network::mobilenet_v2;

use modelzoo_candle::{device::Placement, weights::Weights};
use modelzoo_plugin_api::{Error, LoadOptions, Model, ModelSource, Result, export_source};
use std::path::Path;

/// The model's name in the manifest.
const NAME: &str = "mobilenet-v2-imagenet";

/// The source: one model.
#[derive(Debug, Default)]
pub struct Source;

/// The options of this source.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The layer whose result is the embedding, by torchvision's name for the module; with `<` before it, the layer's
    /// input.
    pub embeddings_layer: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            embeddings_layer: "<classifier.1".to_owned(),
        }
    }
}

impl ModelSource for Source {
    fn load_model(&self, name: &str, path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        if name != NAME {
            let message = format!("this source has no model {name:?}, only {NAME:?}");
            return Err(Error::invalid_option(message));
        }
        let settings: Settings = options.settings()?;
        let weights = Weights::open(path)?;
        let placement = Placement::from_options(&options);
        Ok(Box::new(model(&weights, &placement, &settings)?))
    }
}

export_source!(Source);
