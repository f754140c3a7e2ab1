//! The small U2-Net as a modelzoo source: what stands out in a picture.

mod model;
mod network;
mod regions;
mod settings;

pub use model::U2NetP;
pub use network::u2netp;
pub use settings::{OutputKind, Settings};

use modelzoo_candle::{device::Placement, weights::Weights};
use modelzoo_plugin_api::{Error, LoadOptions, Model, ModelSource, Result, export_source};
use std::path::Path;

/// The model's name in the manifest.
const NAME: &str = "u2netp-saliency";

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
        Ok(Box::new(U2NetP::new(&weights, &placement, settings)?))
    }
}

export_source!(Source);
