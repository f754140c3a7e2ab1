//! A depth for each pixel.

use crate::{processing::Processing, runner::Runner};
use modelzoo_candle::{candle_core::Tensor, device};
use modelzoo_plugin_api::{Array, Image, Model, ModelInfo, Output, PredictOptions, Result, label::Heatmap};

/// A model of depth.
#[derive(Debug)]
pub(super) struct Depth {
    processing: Processing,
    runner: Runner,
}

impl Depth {
    pub(super) fn new(processing: Processing, runner: Runner) -> Self {
        Self { processing, runner }
    }

    /// The map of each picture of a batch, as large as the network's input, with the range of its values.
    fn maps(&self, batch: &Tensor) -> Result<Vec<Output>> {
        let maps = self.runner.forward(batch)?.remove(0);
        let (_, _, height, width) = maps.dims4()?;
        let rows = maps.flatten_from(1)?.to_vec2::<f32>()?;
        rows.into_iter()
            .map(|values| {
                let least = values.iter().copied().fold(f32::INFINITY, f32::min);
                let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let map = Heatmap::new(Array::new([height, width], values)?);
                Ok(map.with_range(least.into(), greatest.into()).into())
            })
            .collect()
    }
}

impl Model for Depth {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], _options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let maps = |batch: &Tensor| self.maps(batch);
        self.processing.run_batched(images, self.runner.device(), maps)
    }
}
