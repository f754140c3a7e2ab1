//! Layers that work element by element, or only rearrange channels.

use super::{GraphBuilder, Value};
use crate::graph::{
    Activation, BatchNorm, Function, GraphError, Op, Problem, Weight, infer::check_batch_norm,
};

impl GraphBuilder {
    /// An activation.
    pub fn activation(&mut self, name: &str, x: Value, activation: Activation) -> Result<Value, GraphError> {
        self.layer(name, Op::Activation(activation), &[x])
    }

    /// Batch normalisation with the running statistics; a plan folds it into the convolution before it.
    pub fn batch_norm(&mut self, name: &str, x: Value, norm: &BatchNorm) -> Result<Value, GraphError> {
        let shape = self.shape(x).ok_or_else(|| Problem::UnknownValue.at(name))?;
        check_batch_norm(norm, shape.channels()).map_err(|problem| problem.at(name))?;
        let (scale, shift) = norm.scale_and_shift();
        self.affine(name, x, scale, shift)
    }

    /// `scale[c] * x + shift[c]` for each channel or feature.
    pub fn affine(
        &mut self,
        name: &str,
        x: Value,
        scale: Weight,
        shift: Weight,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::Affine { scale, shift }, &[x])
    }

    /// The sum of two values of one shape.
    pub fn add(&mut self, name: &str, left: Value, right: Value) -> Result<Value, GraphError> {
        self.layer(name, Op::Add, &[left, right])
    }

    /// The product of two values of one shape, or of a value and one factor for each channel (a vector, or a
    /// map of 1 x 1).
    pub fn mul(&mut self, name: &str, left: Value, right: Value) -> Result<Value, GraphError> {
        self.layer(name, Op::Multiply, &[left, right])
    }

    /// Channels (or features) of all values, one after the other.
    pub fn concat(&mut self, name: &str, values: &[Value]) -> Result<Value, GraphError> {
        self.layer(name, Op::Concat, values)
    }

    /// Channels (or features) `start..start + count`.
    pub fn slice_channels(
        &mut self,
        name: &str,
        x: Value,
        start: usize,
        count: usize,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::Slice { start, count }, &[x])
    }

    /// A function of each element.
    pub fn function(&mut self, name: &str, x: Value, function: Function) -> Result<Value, GraphError> {
        self.layer(name, Op::Function(function), &[x])
    }

    /// Softmax over the channels or features.
    pub fn softmax(&mut self, name: &str, x: Value) -> Result<Value, GraphError> {
        self.layer(name, Op::Softmax, &[x])
    }

    /// A value as a vector, in the order of its elements.
    pub fn flatten(&mut self, name: &str, x: Value) -> Result<Value, GraphError> {
        self.layer(name, Op::Flatten, &[x])
    }
}
