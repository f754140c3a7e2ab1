//! Finding the ranges of a network's values.

use super::{
    Plan,
    fuse::fuse,
    options::{PlanOptions, Precision},
    ranges::Ranges,
};
use crate::{
    batch::{RunError, check_inputs},
    graph::{Graph, GraphError, Op},
};

/// Finds the ranges of a network's values by running it in `f32` on samples of its input.
#[derive(Debug)]
pub struct Calibration {
    plan: Plan,
    names: Vec<String>,
    ranges: Ranges,
}

impl Calibration {
    /// For a network and its inputs' shapes; `options` are those of plans, without ranges.
    ///
    /// # Errors
    /// A layer that does not fit the shapes asked for.
    pub fn new(graph: &Graph, options: &PlanOptions) -> Result<Self, GraphError> {
        let is_computed = |&node: &usize| !matches!(graph.nodes()[node].op, Op::Input | Op::Constant(_));
        let names: Vec<String> = fuse(graph)
            .iter()
            .map(|layer| layer.output)
            .filter(is_computed)
            .map(|node| graph.nodes()[node].name.clone())
            .collect();
        let names_of: Vec<&str> = names.iter().map(String::as_str).collect();
        let graph = if names.is_empty() {
            graph.clone()
        } else {
            graph.with_outputs(&names_of)?
        };
        let options = PlanOptions {
            precision: Precision::Float,
            ranges: None,
            ..options.clone()
        };
        Ok(Self {
            plan: Plan::compile(&graph, &options)?,
            names,
            ranges: Ranges::default(),
        })
    }

    /// Runs a batch and widens the ranges by what is seen, one image after the other: results of all layers are kept in
    /// memory meanwhile.
    ///
    /// # Errors
    /// [`RunError`] where a slice does not fit.
    pub fn observe(&mut self, inputs: &[&[f32]], batch: usize) -> Result<(), RunError> {
        let graph = self.plan.graph();
        let lengths: Vec<usize> = inputs.iter().map(|input| input.len()).collect();
        check_inputs(graph, &lengths, batch)?;
        let mut results: Vec<Vec<f32>> = graph
            .output_shapes()
            .map(|shape| vec![0.0; shape.elements()])
            .collect();
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
            for (name, values) in self.names.iter().zip(&results) {
                self.ranges.widen(name, values);
            }
        }
        Ok(())
    }

    /// What was seen until now.
    pub fn ranges(&self) -> &Ranges {
        &self.ranges
    }
}
