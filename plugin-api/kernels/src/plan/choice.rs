//! Which layers stay in numbers, so that a network on bytes gives about the same.

use super::{
    Calibration, Plan,
    algorithm::{Algorithm, Geometry, choose},
    fuse::{Layer, fuse},
    options::PlanOptions,
    quantise::of_bytes,
    ranges::Ranges,
    threads::Threads,
    weights::PackedWeights,
};
use crate::batch::RunError;
use std::sync::Arc;

/// A layer that may be computed on bytes.
struct Candidate {
    /// The name of its result.
    name: String,
    /// Multiplications, as far as they tell what bytes save.
    work: f64,
    /// What it alone on bytes, with the depthwise convolutions that read it, does to the network's outputs: the mean of the
    /// squared differences to that of the squared values.
    error: f64,
}

impl Calibration {
    /// The [`ranges`](Self::ranges), with layers kept in numbers such that the network's outputs are off by about
    /// `most` of their root mean square: 0.03 is a lot for a classifier. Each layer is tried alone on these inputs, a batch as
    /// [`Plan::run`] takes it, and errors are taken to add up as independent ones do. What gains the least time for its error
    /// stays in numbers first. The inputs have the shapes that the calibration began with. `tell` is told how many layers
    /// were tried, and of how many.
    ///
    /// # Errors
    /// [`RunError`] where a slice does not fit.
    pub fn ranges_within(
        &self,
        most: f64,
        inputs: &[&[f32]],
        batch: usize,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<Ranges, RunError> {
        let ranges = self.ranges();
        let trial = Trial::new(self, inputs, batch)?;
        let mut candidates = self.candidates(&ranges);
        let names: Vec<String> = candidates
            .iter()
            .map(|candidate| candidate.name.clone())
            .collect();
        for (tried, candidate) in candidates.iter_mut().enumerate() {
            tell(tried, names.len());
            let mut alone = ranges.clone();
            let others = names.iter().filter(|name| **name != candidate.name);
            others.for_each(|name| alone.keep_in_numbers(name));
            candidate.error = trial.error(alone)?;
        }
        let mut error: f64 = candidates.iter().map(|candidate| candidate.error).sum();
        // The sort is stable: of equal ones the first stays in numbers first.
        candidates.sort_by(|one, other| (other.error / other.work).total_cmp(&(one.error / one.work)));
        let mut settled = ranges;
        for candidate in candidates {
            if error <= most * most {
                break;
            }
            error -= candidate.error;
            settled.keep_in_numbers(&candidate.name);
        }
        Ok(settled)
    }

    fn candidates(&self, ranges: &Ranges) -> Vec<Candidate> {
        /// A multiplication of a depthwise convolution takes as long as so many of others.
        const DEPTHWISE: f64 = 4.0;
        let layers = fuse(&self.graph);
        let of_bytes = |layer: &Layer| -> Option<(Geometry, Algorithm)> {
            let (geometry, algorithm) = choose(&self.graph, layer, &self.options)?;
            let algorithm = of_bytes(&self.graph, layer, &geometry, algorithm)?;
            let operand = &self.graph.nodes()[layer.inputs[0]].name;
            ranges.get(operand).map(|_| (geometry, algorithm))
        };
        let work = |layer: &Layer, geometry: &Geometry| {
            let [height, width] = geometry.kernel;
            let terms = (geometry.inputs / geometry.groups * height * width) as f64;
            terms * self.graph.shapes()[layer.node].elements() as f64
        };
        let mut candidates = Vec::new();
        for layer in &layers {
            let Some((geometry, Algorithm::Bytes)) = of_bytes(layer) else {
                continue;
            };
            let depthwise: f64 = layers
                .iter()
                .filter(|other| other.inputs.first() == Some(&layer.output))
                .filter_map(|other| match of_bytes(other)? {
                    (geometry, Algorithm::ByteDepthwise) => Some(DEPTHWISE * work(other, &geometry)),
                    _ => None,
                })
                .sum();
            candidates.push(Candidate {
                name: self.graph.nodes()[layer.output].name.clone(),
                work: work(layer, &geometry) + depthwise,
                error: 0.0,
            });
        }
        candidates
    }
}

/// Runs of the same network and inputs on bytes.
struct Trial<'a> {
    calibration: &'a Calibration,
    inputs: &'a [&'a [f32]],
    batch: usize,
    threads: Arc<Threads>,
    packed: Arc<PackedWeights>,
    /// The outputs in numbers.
    expected: Vec<Vec<f32>>,
}

impl<'a> Trial<'a> {
    fn new(calibration: &'a Calibration, inputs: &'a [&'a [f32]], batch: usize) -> Result<Self, RunError> {
        let threads = Arc::clone(&calibration.plan.threads);
        let mut trial = Self {
            calibration,
            inputs,
            batch,
            packed: Arc::default(),
            threads,
            expected: Vec::new(),
        };
        trial.expected = trial.run(None)?;
        Ok(trial)
    }

    fn run(&self, ranges: Option<Ranges>) -> Result<Vec<Vec<f32>>, RunError> {
        let graph = &self.calibration.graph;
        let options = PlanOptions {
            ranges: ranges.map(Arc::new),
            ..self.calibration.options.clone()
        };
        let (threads, packed) = (Arc::clone(&self.threads), Arc::clone(&self.packed));
        let plan = Plan::compile_sharing(graph, options, threads, packed)
            .expect("the network has been compiled for these shapes before");
        let mut results: Vec<Vec<f32>> = graph
            .output_shapes()
            .map(|shape| vec![0.0; shape.elements() * self.batch])
            .collect();
        let mut outputs: Vec<&mut [f32]> = results.iter_mut().map(Vec::as_mut_slice).collect();
        plan.run(self.inputs, &mut outputs, self.batch)?;
        Ok(results)
    }

    /// How far the outputs are off with these ranges: the mean over the outputs of squared errors to squared values.
    fn error(&self, ranges: Ranges) -> Result<f64, RunError> {
        let found = self.run(Some(ranges))?;
        let errors = found.iter().zip(&self.expected).map(|(found, expected)| {
            let square = |value: f32| f64::from(value) * f64::from(value);
            let pairs = found.iter().zip(expected);
            let error: f64 = pairs.map(|(found, expected)| square(found - expected)).sum();
            let whole: f64 = expected.iter().copied().map(square).sum();
            if error == 0.0 { 0.0 } else { error / whole }
        });
        Ok(errors.sum::<f64>() / found.len() as f64)
    }
}
