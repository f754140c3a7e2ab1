//! Networks on bytes: which numbers the bytes stand for, found on samples of their input.

use super::{Network, run::Engine};
use candle_core::{DType, Tensor};
use modelzoo_kernels::{
    graph::{Graph, Shape},
    plan::{self, PlanOptions, Ranges},
};
use modelzoo_plugin_api::{Calibrate, Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// So many samples of each network's input are looked at.
const OBSERVED: usize = 64;

/// So many of the first of them show what each layer on bytes does to the outputs.
const TRIED: usize = 16;

/// These need no more memory than this, with the outputs that they give.
const TRIED_BYTES: usize = 128 << 20;

/// Results of all layers that need more memory than this for one sample are not looked at.
const MOST_BYTES: usize = 1 << 30;

/// How far the outputs of a network on bytes may be off, as a part of their root mean square, where nobody says another.
/// Layers that would make it more stay in `f32`.
const MOST_ERROR: f64 = 0.04;

/// So many choices of a network's outputs are looked at: programs use one or two.
const MOST_GRAPHS: usize = 8;

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

/// Takes note of the values in one network.
#[derive(Debug)]
pub(super) struct Observer {
    threads: usize,
    most: f64,
    /// What was seen, for each choice of outputs.
    seen: Mutex<Vec<Seen>>,
}

#[derive(Debug)]
struct Seen {
    outputs: Vec<usize>,
    /// The shape of the first sample.
    shapes: Vec<Shape>,
    calibration: plan::Calibration,
    count: usize,
    /// The first samples that have this shape.
    samples: Vec<f32>,
    samples_count: usize,
    most_samples: usize,
}

impl Observer {
    /// `threads` run the network, which may be off by `most`.
    pub(super) fn new(threads: usize, most: f64) -> Self {
        Self {
            threads,
            most,
            seen: Mutex::default(),
        }
    }

    /// For networks whose authors say nothing of how far they may be off.
    pub(super) fn of_network(threads: usize) -> Self {
        Self::new(threads, MOST_ERROR)
    }

    /// Runs the first samples that come once more, and takes note of the results of all layers: one after the other, so that
    /// it is the same in whatever batches they come.
    pub(super) fn observe(&self, graph: &Graph, samples: &[f32], count: usize) -> Result<()> {
        // What was half seen before a panic is seen too little, and harms nothing.
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match all.iter().position(|seen| seen.outputs == graph.outputs()) {
            Some(place) => place,
            None if all.len() == MOST_GRAPHS => return Ok(()),
            None => {
                all.push(Seen::new(graph, self.threads)?);
                all.len() - 1
            }
        };
        all[place].observe(graph, samples, count)
    }

    /// The ranges of what was seen; `None` where nothing was.
    pub(super) fn find(&self, tell: &mut dyn FnMut(u64, u64)) -> Result<Option<Ranges>> {
        let all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Option<Ranges> = None;
        for seen in all.iter().filter(|seen| seen.count > 0) {
            let mut tell = |done: usize, total: usize| tell(done as u64, total as u64);
            let inputs = [seen.samples.as_slice()];
            let count = seen.samples_count;
            let ranges = seen
                .calibration
                .ranges_within(self.most, &inputs, count, &mut tell)?;
            found = Some(match found {
                None => ranges,
                Some(found) => joined(found, &ranges),
            });
        }
        Ok(found)
    }
}

impl Calibrate for Observer {
    fn calibrate(&self, tell: &mut dyn FnMut(u64, u64)) -> Result<Option<Vec<u8>>> {
        Ok(self.find(tell)?.map(|ranges| ranges.to_bytes()))
    }
}

impl Seen {
    fn new(graph: &Graph, threads: usize) -> Result<Self> {
        let options = PlanOptions {
            threads,
            ..PlanOptions::default()
        };
        let elements = graph.input_shapes().chain(graph.output_shapes());
        let bytes = elements
            .map(|shape| shape.elements() * size_of::<f32>())
            .sum::<usize>();
        Ok(Self {
            outputs: graph.outputs().to_vec(),
            shapes: graph.input_shapes().collect(),
            calibration: plan::Calibration::new(graph, &options)?,
            count: 0,
            samples: Vec::new(),
            samples_count: 0,
            most_samples: (TRIED_BYTES / bytes.max(1)).clamp(1, TRIED),
        })
    }

    fn observe(&mut self, graph: &Graph, samples: &[f32], count: usize) -> Result<()> {
        let new = count.min(OBSERVED.saturating_sub(self.count));
        let length = samples.len() / count.max(1);
        let shapes: Vec<Shape> = graph.input_shapes().collect();
        if new == 0 {
            return Ok(());
        }
        self.calibration.set_input_shapes(&shapes)?;
        if self.calibration.memory() > MOST_BYTES {
            return Ok(());
        }
        let samples = &samples[..new * length];
        self.calibration.observe(&[samples], new)?;
        self.count += new;
        if shapes == self.shapes {
            let kept = new.min(self.most_samples - self.samples_count);
            self.samples.extend_from_slice(&samples[..kept * length]);
            self.samples_count += kept;
        }
        Ok(())
    }
}

/// What is known by `first`, and of the layers that it does not know, by `second`.
fn joined(mut first: Ranges, second: &Ranges) -> Ranges {
    for (layer, range) in second.iter() {
        if first.get(layer).is_none() {
            first.insert(layer, range.clone());
        }
    }
    second.in_numbers().for_each(|layer| first.keep_in_numbers(layer));
    first
}

/// What a network is called in a calibration: networks of the same layers have the same name, and others have others.
pub(super) fn name_of(graph: &Graph) -> String {
    /// Of FNV-1a with 64 bits.
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let names = graph.nodes().iter().flat_map(|node| node.name.bytes().chain([0]));
    let hash = names.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}

fn no_bytes() -> Error {
    Error::new("only plans on a CPU compute on bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::Placement,
        network::{Conv2d, NetworkBuilder, RandomParameters},
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
