//! The finished graph.

use super::{GraphError, Op, Problem, Shape, infer::infer};
use std::sync::Arc;

/// One layer.
#[derive(Clone, Debug)]
pub struct Node {
    /// Unique in its graph.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// Its operands, as indices of earlier nodes.
    pub inputs: Vec<usize>,
}

/// A network: layers in the order in which they can be computed; immutable and cheap to clone.
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: Arc<[Node]>,
    shapes: Arc<[Shape]>,
    inputs: Arc<[usize]>,
    outputs: Arc<[usize]>,
}

impl Graph {
    pub(super) fn new(nodes: Vec<Node>, shapes: Vec<Shape>, inputs: Vec<usize>, outputs: Vec<usize>) -> Self {
        Self {
            nodes: nodes.into(),
            shapes: shapes.into(),
            inputs: inputs.into(),
            outputs: outputs.into(),
        }
    }

    /// All layers; operands come before the layers that use them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The shape of each node's result.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Indices of the inputs, in the order in which they were added.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Indices of the nodes whose results are the outputs.
    pub fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    /// Shapes of the inputs for one image.
    pub fn input_shapes(&self) -> impl ExactSizeIterator<Item = Shape> + '_ {
        self.inputs.iter().map(|&node| self.shapes[node])
    }

    /// Shapes of the outputs for one image.
    pub fn output_shapes(&self) -> impl ExactSizeIterator<Item = Shape> + '_ {
        self.outputs.iter().map(|&node| self.shapes[node])
    }

    /// Whether both are the same network over the same weights, perhaps with other sizes or outputs.
    pub fn shares_layers_with(&self, other: &Graph) -> bool {
        Arc::ptr_eq(&self.nodes, &other.nodes)
    }

    /// The index of the layer of this name.
    ///
    /// # Errors
    /// [`Problem::UnknownLayer`] where there is none.
    pub fn find(&self, name: &str) -> Result<usize, GraphError> {
        self.nodes
            .iter()
            .position(|node| node.name == name)
            .ok_or_else(|| Problem::UnknownLayer.at(name))
    }

    /// The same network, sharing its weights, for inputs of other shapes.
    ///
    /// # Errors
    /// The first layer that does not fit the new shapes.
    pub fn with_input_shapes(&self, inputs: &[Shape]) -> Result<Self, GraphError> {
        if inputs.len() != self.inputs.len() {
            let problem = Problem::InputCount {
                expected: self.inputs.len(),
                found: inputs.len(),
            };
            return Err(problem.at("input"));
        }
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.nodes.len());
        let mut given = inputs.iter();
        for node in self.nodes.iter() {
            let shape = match (&node.op, given.as_slice().first()) {
                (Op::Input, Some(&shape)) => {
                    given.next();
                    shape
                }
                _ => {
                    let operands: Vec<Shape> = node.inputs.iter().map(|&input| shapes[input]).collect();
                    infer(&node.op, &operands).map_err(|problem| problem.at(&node.name))?
                }
            };
            if !shape.is_valid() {
                return Err(Problem::Size(shape).at(&node.name));
            }
            shapes.push(shape);
        }
        Ok(Self {
            shapes: shapes.into(),
            ..self.clone()
        })
    }

    /// The same network, sharing its weights, with the results of these layers as its outputs: to take any
    /// layer's result as an embedding.
    ///
    /// # Errors
    /// [`Problem::UnknownLayer`] for a name that no layer has, [`Problem::NoOutput`] for no names.
    pub fn with_outputs(&self, names: &[&str]) -> Result<Self, GraphError> {
        if names.is_empty() {
            return Err(Problem::NoOutput.at("output"));
        }
        let outputs: Vec<usize> = names
            .iter()
            .map(|name| self.find(name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            outputs: outputs.into(),
            ..self.clone()
        })
    }
}
