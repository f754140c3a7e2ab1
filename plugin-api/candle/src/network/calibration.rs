//! Networks on bytes: which numbers the bytes stand for, found on samples of their input.

use super::{Network, observer::Observer, run::Engine};
use candle_core::{DType, Tensor};
use modelzoo_kernels::{graph::Shape, plan::Ranges};
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use std::sync::Arc;

impl Network {
    /// Finds the ranges of the results of all layers on samples of the input, a batch `[count, channels, height, width]`
    /// of at least one, and keeps layers in `f32` such that the outputs are off by about `most` of their root mean square.
    /// The same samples give the same ranges on machines with the same instructions; see [`Ranges::to_bytes`] for keeping
    /// them. The first 64 samples are looked at, and each layer is tried on the first 16, so that this takes as long as
    /// running a thousand.
    ///
    /// # Errors
    /// When the batch does not fit, or the network runs on Candle's operators.
    pub fn calibrate(&self, samples: &Tensor, most: f64) -> Result<Ranges> {
        let Engine::Plans(plans) = self.engine() else {
            return Err(no_bytes());
        };
        let (count, channels, height, width) = samples.dims4()?;
        let graph = self
            .graph()
            .with_input_shapes(&[Shape::map(channels, height, width)])?;
        let values: Vec<f32> = samples.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let observer = Observer::new(plans.threads(), most);
        observer.observe(&graph, &values, count)?;
        observer.find(&mut |_, _| {})?.ok_or_else(|| {
            Error::new("there are no samples to calibrate on").with_kind(ErrorKind::InvalidInput)
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::Placement,
        network::{
            Conv2d, NetworkBuilder, RandomParameters,
            observer::{MOST_ERROR, name_of},
        },
    };
    use candle_core::Device;
    use modelzoo_plugin_api::{Calibration, Host, Precision, message};
    use std::collections::BTreeMap;

    fn placement(threads: usize, calibration: Calibration) -> Placement {
        Placement {
            threads,
            precision: Precision::Int8,
            calibration,
            ..Placement::cpu()
        }
    }

    fn network(placement: &Placement) -> Network {
        let parameters = RandomParameters::new(3);
        let mut network = NetworkBuilder::new(&parameters);
        let mut x = network.input("image", [3, 24, 24]).unwrap();
        for name in ["stem", "body", "head"] {
            x = network.conv2d(name, x, Conv2d::new(24, 3).padding(1)).unwrap();
            x = network.relu(x).unwrap();
        }
        network.build(&[x], placement).unwrap()
    }

    fn samples(count: usize, size: usize) -> Tensor {
        let values: Vec<f32> = (0..count * 3 * size * size)
            .map(|index| ((index * 7919 + count) % 1009) as f32 / 504.0 - 1.0)
            .collect();
        Tensor::from_vec(values, (count, 3, size, size), &Device::Cpu).unwrap()
    }

    fn forward(network: &Network, samples: &Tensor) -> Vec<f32> {
        let found = network.forward(samples).unwrap().remove(0);
        found.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// What is found where batches of these sizes pass through.
    fn found(threads: usize, batches: &[usize]) -> Calibration {
        let placement = placement(threads, Calibration::default());
        let network = network(&placement);
        assert_eq!(network.precision(), Precision::F32);
        let all = samples(70, 24);
        let mut first = 0;
        for &count in batches {
            network.forward(&all.narrow(0, first, count).unwrap()).unwrap();
            first += count;
        }
        placement.calibration.find(&Host::default()).unwrap()
    }

    fn bytes(calibration: &Calibration) -> Vec<u8> {
        message::encode(calibration).unwrap()
    }

    #[test]
    fn what_is_found_on_passing_samples_makes_a_network_on_bytes() {
        let calibration = found(1, &[8; 8]);
        let on_bytes = network(&placement(1, calibration));
        assert_eq!(on_bytes.precision(), Precision::Int8);
        let plain = network(&Placement::cpu());
        let (found, expected) = (
            forward(&on_bytes, &samples(2, 24)),
            forward(&plain, &samples(2, 24)),
        );
        let square = |value: f32| f64::from(value) * f64::from(value);
        let errors = found
            .iter()
            .zip(&expected)
            .map(|(found, expected)| square(found - expected));
        let error = (errors.sum::<f64>() / expected.iter().copied().map(square).sum::<f64>()).sqrt();
        assert!(error > 0.0 && error < MOST_ERROR, "off by {error}");
    }

    #[test]
    fn the_same_is_found_in_whatever_batches_and_on_any_number_of_threads() {
        let expected = bytes(&found(1, &[8; 8]));
        assert_eq!(bytes(&found(2, &[8; 8])), expected);
        assert_eq!(bytes(&found(3, &[1, 30, 20, 13])), expected);
        assert_eq!(bytes(&found(2, &[70])), expected, "64 are looked at");
        assert_ne!(bytes(&found(1, &[8; 7])), expected);
    }

    #[test]
    fn samples_of_other_sizes_are_looked_at_as_well() {
        let found = |sizes: &[usize]| {
            let placement = placement(1, Calibration::default());
            let network = network(&placement);
            for &size in sizes {
                network.forward(&samples(2, size)).unwrap();
            }
            bytes(&placement.calibration.find(&Host::default()).unwrap())
        };
        assert_ne!(found(&[24, 16]), found(&[24]));
        assert_eq!(found(&[24, 16, 24]), found(&[24, 16, 24]));
    }

    #[test]
    fn what_is_not_known_stays_in_numbers() {
        let unused = placement(1, Calibration::default());
        network(&unused);
        assert!(unused.calibration.is_watched());
        assert!(unused.calibration.find(&Host::default()).unwrap().is_empty());

        let name = name_of(network(&Placement::cpu()).graph());
        for (name, bytes) in [("of another network", b"".as_slice()), (&name, b"damaged")] {
            let known = BTreeMap::from([(name, serde_json::json!(bytes))]);
            let known: Calibration = serde_json::from_value(serde_json::json!(known)).unwrap();
            let placement = placement(1, known);
            let network = network(&placement);
            assert_eq!(network.precision(), Precision::F32);
            assert!(!placement.calibration.is_watched());
            assert_eq!(
                forward(&network, &samples(1, 24)),
                forward(&self::network(&Placement::cpu()), &samples(1, 24))
            );
        }
    }
}
