//! Networks on bytes: which numbers the bytes stand for, found on samples of their input.

use super::{Network, run::Engine};
use candle_core::{DType, Tensor};
use modelzoo_kernels::{
    graph::Shape,
    plan::{Calibration, PlanOptions, Ranges},
};
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use std::sync::Arc;

/// So many of the samples show what each layer on bytes does to the outputs.
const TRIED: usize = 16;

impl Network {
    /// Finds the ranges of the results of all layers on samples of the input, a batch `[count, channels, height, width]`
    /// of at least one, and keeps layers in `f32` such that the outputs are off by about `most` of their root mean square.
    /// The same samples give the same ranges on machines with the same instructions; see [`Ranges::to_bytes`] for keeping
    /// them. Each layer is tried on the first 16 samples, so that this takes as long as running a thousand.
    ///
    /// # Errors
    /// When the batch does not fit, or the network runs on Candle's operators.
    pub fn calibrate(&self, samples: &Tensor, most: f64) -> Result<Ranges> {
        let Engine::Plans(plans) = self.engine() else {
            return Err(no_bytes());
        };
        let (count, channels, height, width) = samples.dims4()?;
        if count == 0 {
            return Err(Error::new("there are no samples to calibrate on").with_kind(ErrorKind::InvalidInput));
        }
        let graph = self
            .graph()
            .with_input_shapes(&[Shape::map(channels, height, width)])?;
        let values: Vec<f32> = samples.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let options = PlanOptions {
            threads: plans.threads(),
            ..PlanOptions::default()
        };
        let mut calibration = Calibration::new(&graph, &options)?;
        calibration.observe(&[&values], count)?;
        let tried = count.min(TRIED);
        let first = &values[..values.len() / count * tried];
        Ok(calibration.ranges_within(most, &[first], tried)?)
    }

    /// The same network over the same parameters, computed on bytes that stand for the numbers of these ranges.
    ///
    /// # Errors
    /// When the network runs on Candle's operators.
    pub fn with_ranges(&self, ranges: Arc<Ranges>) -> Result<Self> {
        match self.engine() {
            Engine::Plans(plans) => Ok(self.on_engine(Engine::Plans(Arc::new(plans.with_ranges(ranges))))),
            Engine::Operators(_) => Err(no_bytes()),
        }
    }
}

fn no_bytes() -> Error {
    Error::new("only plans on a CPU compute on bytes")
}
