//! Describing a network, layer by layer.

mod elementwise;
mod spatial;
mod tokens;

use super::{Graph, GraphError, Node, Op, Problem, Shape, infer::infer};
use std::collections::HashSet;

/// The result of a layer in the [`GraphBuilder`] that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(usize);

/// Describes a network layer by layer; each method adds one layer and returns its result.
///
/// ```
/// use modelzoo_kernels::graph::{Activation, Convolution, GraphBuilder, Shape, Weight};
///
/// let mut network = GraphBuilder::new();
/// let image = network.input("image", Shape::map(3, 32, 32))?;
/// let weight = Weight::new([8, 3, 3, 3], vec![0.1; 8 * 3 * 9]);
/// let x = network.conv2d("conv1", image, Convolution::new(weight, None).stride(2).padding(1))?;
/// let x = network.activation("relu1", x, Activation::Relu)?;
/// network.output(x)?;
/// let graph = network.build()?;
/// assert_eq!(graph.output_shapes().next(), Some(Shape::map(8, 16, 16)));
/// # Ok::<(), modelzoo_kernels::graph::GraphError>(())
/// ```
///
/// # Errors
/// Every method that adds a layer fails with the layer's name where its operands, its settings or its weights
/// do not fit; [`Problem`] lists the ways.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    nodes: Vec<Node>,
    shapes: Vec<Shape>,
    names: HashSet<String>,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

impl GraphBuilder {
    /// An empty network.
    pub fn new() -> Self {
        Self::default()
    }

    /// An input of this shape. [`Graph::with_input_shapes`] can change it later.
    pub fn input(&mut self, name: &str, shape: Shape) -> Result<Value, GraphError> {
        let value = self.push(name, Op::Input, &[], |_, _| Ok(shape))?;
        self.inputs.push(value.0);
        Ok(value)
    }

    /// Adds any operator: what every other method does underneath.
    pub fn layer(&mut self, name: &str, op: Op, operands: &[Value]) -> Result<Value, GraphError> {
        self.push(name, op, operands, infer)
    }

    /// The shape of a value for one image, or `None` for a value of another builder.
    pub fn shape(&self, value: Value) -> Option<Shape> {
        self.shapes.get(value.0).copied()
    }

    /// Makes a value an output; outputs are numbered in the order of these calls.
    pub fn output(&mut self, value: Value) -> Result<(), GraphError> {
        if value.0 >= self.nodes.len() {
            return Err(Problem::UnknownValue.at("output"));
        }
        self.outputs.push(value.0);
        Ok(())
    }

    /// The finished network.
    ///
    /// # Errors
    /// [`Problem::NoOutput`] where no value was made an output.
    pub fn build(self) -> Result<Graph, GraphError> {
        if self.outputs.is_empty() {
            return Err(Problem::NoOutput.at("output"));
        }
        Ok(Graph::new(self.nodes, self.shapes, self.inputs, self.outputs))
    }

    fn push(
        &mut self,
        name: &str,
        op: Op,
        operands: &[Value],
        shape_of: impl FnOnce(&Op, &[Shape]) -> Result<Shape, Problem>,
    ) -> Result<Value, GraphError> {
        if self.names.contains(name) {
            return Err(Problem::DuplicateName.at(name));
        }
        let shapes: Option<Vec<Shape>> = operands.iter().map(|&value| self.shape(value)).collect();
        let shapes = shapes.ok_or_else(|| Problem::UnknownValue.at(name))?;
        let shape = shape_of(&op, &shapes).map_err(|problem| problem.at(name))?;
        if !shape.is_valid() {
            return Err(Problem::Size(shape).at(name));
        }
        let inputs = operands.iter().map(|value| value.0).collect();
        self.names.insert(name.to_owned());
        self.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs,
        });
        self.shapes.push(shape);
        Ok(Value(self.nodes.len() - 1))
    }
}

#[cfg(test)]
mod tests;
