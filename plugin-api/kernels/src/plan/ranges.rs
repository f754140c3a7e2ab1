//! Between which values the results of layers lie, and how that is found.

use super::{Plan, PlanOptions, fuse::fuse};
use crate::{
    batch::RunError,
    graph::{Graph, GraphError, Op},
};
use std::collections::BTreeMap;

/// The smallest and the largest value of layers' results, by the layers' names: what a plan of bytes is made from, see
/// [`PlanOptions::ranges`]. It is plain data, to be kept from one program to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges(BTreeMap<String, [f32; 2]>);

impl Ranges {
    /// The smallest and the largest value of a layer's result, where they are known.
    pub fn get(&self, layer: &str) -> Option<[f32; 2]> {
        self.0.get(layer).copied()
    }

    /// All of them, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, [f32; 2])> {
        self.0.iter().map(|(layer, range)| (layer.as_str(), *range))
    }

    /// Makes a layer's range so wide that these values are in it; those that are no finite numbers do not count.
    pub fn widen(&mut self, layer: &str, values: &[f32]) {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let Some(found) = finite.fold(None, |range: Option<[f32; 2]>, value| {
            let [lowest, highest] = range.unwrap_or([value; 2]);
            Some([lowest.min(value), highest.max(value)])
        }) else {
            return;
        };
        match self.0.get_mut(layer) {
            Some([lowest, highest]) => {
                *lowest = lowest.min(found[0]);
                *highest = highest.max(found[1]);
            }
            None => {
                self.0.insert(layer.to_owned(), found);
            }
        }
    }
}

impl FromIterator<(String, [f32; 2])> for Ranges {
    /// Without those that are no ranges of finite numbers.
    fn from_iter<I: IntoIterator<Item = (String, [f32; 2])>>(ranges: I) -> Self {
        let is_range = |range: &[f32; 2]| range.iter().all(|end| end.is_finite()) && range[0] <= range[1];
        Self(ranges.into_iter().filter(|(_, range)| is_range(range)).collect())
    }
}

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
        crate::batch::check_inputs(graph, &lengths, batch)?;
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
