//! PoseNet as a modelzoo source: the 17 COCO keypoints of people.

mod body;
mod decode;
mod model;
mod network;
mod settings;

pub use model::PoseNet;
pub use network::posenet;
pub use settings::{People, Settings};

use modelzoo_candle::{device::Placement, weights::Weights};
use modelzoo_plugin_api::{Error, LoadOptions, Model, ModelSource, Result, export_source};
use std::path::Path;

/// The model's name in the manifest.
const NAME: &str = "posenet-coco";

/// The source: one model.
#[derive(Debug, Default)]
pub struct Source;

impl ModelSource for Source {
    fn load_model(&self, name: &str, path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        if name != NAME {
            let message = format!("this source has no model {name:?}, only {NAME:?}");
            return Err(Error::invalid_option(message));
        }
        let settings = options.settings::<Settings>()?.checked()?;
        let weights = Weights::open(path)?;
        let placement = Placement::from_options(&options);
        Ok(Box::new(PoseNet::new(&weights, &placement, settings)?))
    }
}

export_source!(Source);
