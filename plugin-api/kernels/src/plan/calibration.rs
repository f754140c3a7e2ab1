//! Finding the ranges of a network's values.

use super::{
    Plan,
    algorithm::{Algorithm, choose},
    fuse::{Layer, fuse},
    options::{PlanOptions, Precision},
    quantise::of_bytes,
    ranges::Ranges,
    scaling::{Weights, byte_range},
    statistics::Statistics,
};
use crate::{
    batch::{RunError, check_inputs},
    graph::{Graph, GraphError, Op, Shape},
};

/// Finds the ranges of a network's values by running it in `f32` on samples of its input.
#[derive(Debug)]
pub struct Calibration {
    pub(super) graph: Graph,
    pub(super) options: PlanOptions,
    /// The network with the results of all layers as its outputs.
    pub(super) plan: Plan,
    /// The nodes of these results, and what has been seen of them.
    statistics: Vec<(usize, Statistics)>,
}

impl Calibration {
    /// For a network and its inputs' shapes; `options` are those of plans, without ranges.
    ///
    /// # Errors
    /// A layer that does not fit the shapes asked for.
    pub fn new(graph: &Graph, options: &PlanOptions) -> Result<Self, GraphError> {
        let graph = match &options.input_shapes {
            Some(shapes) => graph.with_input_shapes(shapes)?,
            None => graph.clone(),
        };
        let options = PlanOptions {
            precision: Precision::Float,
            input_shapes: None,
            ranges: None,
            ..options.clone()
        };
        let is_computed = |&node: &usize| !matches!(graph.nodes()[node].op, Op::Input | Op::Constant(_));
        let nodes: Vec<usize> = fuse(&graph)
            .iter()
            .map(|layer| layer.output)
            .filter(is_computed)
            .collect();
        let names: Vec<&str> = nodes
            .iter()
            .map(|&node| graph.nodes()[node].name.as_str())
            .collect();
        let observed = if names.is_empty() {
            graph.clone()
        } else {
            graph.with_outputs(&names)?
        };
        let statistics = |node: usize| (node, Statistics::new(graph.shapes()[node]));
        Ok(Self {
            plan: Plan::compile(&observed, &options)?,
            statistics: nodes.into_iter().map(statistics).collect(),
            graph,
            options,
        })
    }

    /// What the results of all layers need in memory while an image is observed, in bytes.
    pub fn memory(&self) -> usize {
        let elements = self.plan.graph().output_shapes().map(Shape::elements);
        elements
            .fold(0, usize::saturating_add)
            .saturating_mul(size_of::<f32>())
    }

    /// Goes on with inputs of other shapes: what is seen of a channel is seen at any size.
    ///
    /// # Errors
    /// A layer that does not fit the new shapes.
    pub fn set_input_shapes(&mut self, shapes: &[Shape]) -> Result<(), GraphError> {
        if !self.plan.graph().input_shapes().eq(shapes.iter().copied()) {
            self.plan = self.plan.with_input_shapes(shapes)?;
        }
        Ok(())
    }

    /// Runs a batch and takes in what is seen, one image after the other: results of all layers are kept in memory
    /// meanwhile.
    ///
    /// # Errors
    /// [`RunError`] where a slice does not fit.
    pub fn observe(&mut self, inputs: &[&[f32]], batch: usize) -> Result<(), RunError> {
        let graph = self.plan.graph();
        let lengths: Vec<usize> = inputs.iter().map(|input| input.len()).collect();
        check_inputs(graph, &lengths, batch)?;
        let shapes: Vec<Shape> = graph.output_shapes().collect();
        let mut results: Vec<Vec<f32>> = shapes.iter().map(|shape| vec![0.0; shape.elements()]).collect();
        for image in 0..batch {
            let inputs: Vec<&[f32]> = inputs
                .iter()
                .map(|input| {
                    let length = input.len() / batch;
                    &input[image * length..][..length]
                })
                .collect();
            let mut outputs: Vec<&mut [f32]> = results.iter_mut().map(Vec::as_mut_slice).collect();
            self.plan.run(&inputs, &mut outputs, 1)?;
            for ((_, statistics), (&shape, values)) in
                self.statistics.iter_mut().zip(shapes.iter().zip(&results))
            {
                statistics.observe(shape, values);
            }
        }
        Ok(())
    }

    /// The ranges of what was seen until now: of all results of which there is something in each channel.
    pub fn ranges(&self) -> Ranges {
        let layers = fuse(&self.graph);
        let mut ranges = Ranges::default();
        for (node, statistics) in &self.statistics {
            if statistics.is_complete() {
                let range = byte_range(statistics, &self.readers(&layers, *node));
                ranges.insert(&self.graph.nodes()[*node].name, range);
            }
        }
        ranges
    }

    /// The weights of those that sum up the channels of a value's bytes.
    fn readers(&self, layers: &[Layer], value: usize) -> Vec<Weights> {
        let reads = |layer: &&Layer| layer.inputs.first() == Some(&value);
        layers
            .iter()
            .filter(reads)
            .filter_map(|layer| {
                let (geometry, algorithm) = choose(&self.graph, layer, &self.options)?;
                let algorithm = of_bytes(&self.graph, layer, &geometry, algorithm)?;
                match &self.graph.nodes()[layer.node].op {
                    Op::Convolution(parameters) if algorithm == Algorithm::Bytes => {
                        Some(Weights::of(&self.graph, layer, &parameters.weight))
                    }
                    Op::Linear { weight, .. } => Some(Weights::of(&self.graph, layer, weight)),
                    _ => None,
                }
            })
            .collect()
    }
}
