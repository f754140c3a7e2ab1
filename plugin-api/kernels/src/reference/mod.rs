//! The definition of every operator: plain loops in `f64`, one image after the other.
//!
//! It is the oracle of all tests and the way to judge a plan's accuracy; it is slow.

mod deformable;
mod elementwise;
mod selection;
mod spatial;
mod tokens;

use crate::{
    batch::{RunError, check_inputs},
    graph::{Graph, Op, Shape},
};

/// Runs a network. `inputs` holds each input as a dense batch; the result holds each output likewise, unrounded.
///
/// # Errors
/// [`RunError`] where a slice does not fit the network's inputs.
pub fn run(graph: &Graph, inputs: &[&[f32]], batch: usize) -> Result<Vec<Vec<f64>>, RunError> {
    let lengths: Vec<usize> = inputs.iter().map(|input| input.len()).collect();
    check_inputs(graph, &lengths, batch)?;
    let mut outputs: Vec<Vec<f64>> = graph.outputs().iter().map(|_| Vec::new()).collect();
    for image in 0..batch {
        let values = run_image(graph, inputs, image);
        for (output, &node) in outputs.iter_mut().zip(graph.outputs()) {
            output.extend_from_slice(&values[node]);
        }
    }
    Ok(outputs)
}

/// The results of all nodes for one image.
fn run_image(graph: &Graph, inputs: &[&[f32]], image: usize) -> Vec<Vec<f64>> {
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(graph.nodes().len());
    let mut given = inputs.iter();
    for (node, &shape) in graph.nodes().iter().zip(graph.shapes()) {
        let operands: Vec<Operand> = node
            .inputs
            .iter()
            .map(|&index| Operand {
                data: &values[index],
                shape: graph.shapes()[index],
            })
            .collect();
        let value = if let Op::Input = node.op {
            let elements = shape.elements();
            given
                .next()
                .map_or_else(Vec::new, |data| widen(&data[image * elements..][..elements]))
        } else {
            evaluate(&node.op, &operands, shape)
        };
        values.push(value);
    }
    values
}

/// A dense row-major value of one image.
#[derive(Clone, Copy)]
struct Operand<'a> {
    data: &'a [f64],
    shape: Shape,
}

impl Operand<'_> {
    fn height_and_width(&self) -> (usize, usize) {
        match self.shape {
            Shape::Map { height, width, .. } => (height, width),
            _ => (1, self.shape.positions()),
        }
    }

    /// Where the element of a channel at a position is, and the distance to the next channel: maps have
    /// their channels first, tokens last.
    fn offset(&self, channel: usize, position: usize) -> usize {
        offset(self.shape, channel, position)
    }
}

fn offset(shape: Shape, channel: usize, position: usize) -> usize {
    match shape {
        Shape::Map { .. } => channel * shape.positions() + position,
        _ => position * shape.channels() + channel,
    }
}

fn widen(data: &[f32]) -> Vec<f64> {
    data.iter().map(|&value| f64::from(value)).collect()
}

fn evaluate(op: &Op, operands: &[Operand], shape: Shape) -> Vec<f64> {
    match op {
        Op::Input => Vec::new(),
        Op::Constant(weight) => widen(weight.data()),
        Op::Convolution(parameters) => spatial::convolution(parameters, operands[0], shape),
        Op::TransposedConvolution(parameters) => {
            spatial::transposed_convolution(parameters, operands[0], shape)
        }
        Op::Activation(activation) => operands[0]
            .data
            .iter()
            .map(|&x| elementwise::activate(*activation, x))
            .collect(),
        Op::Affine { scale, shift } => elementwise::affine(operands[0], scale, shift),
        Op::Add => elementwise::combine(operands, |left, right| left + right),
        Op::Multiply => elementwise::combine(operands, |left, right| left * right),
        Op::Concat => elementwise::concat(operands, shape),
        Op::ConcatTokens => operands
            .iter()
            .flat_map(|operand| operand.data.iter().copied())
            .collect(),
        Op::Slice { start, .. } => elementwise::gather(operands[0], shape, |channel| start + channel),
        Op::ChannelShuffle { groups } => {
            let size = shape.channels() / groups;
            elementwise::gather(operands[0], shape, |channel| {
                (channel % groups) * size + channel / groups
            })
        }
        Op::MaxPool(pool) => spatial::max_pool(pool, operands[0], shape),
        Op::AveragePool {
            pool,
            count_include_pad,
        } => spatial::average_pool(pool, *count_include_pad, operands[0], shape),
        Op::AdaptiveAveragePool { size } => spatial::adaptive_average_pool(*size, operands[0], shape),
        Op::Upsample { interpolation, .. } => spatial::upsample(*interpolation, operands[0], shape),
        Op::Flatten => operands[0].data.to_vec(),
        Op::ToTokens | Op::ToMap { .. } => elementwise::gather(operands[0], shape, |channel| channel),
        Op::SelectToken { index } => {
            let features = shape.channels();
            operands[0].data[index * features..][..features].to_vec()
        }
        Op::TakeTokens { indices } => {
            let features = shape.channels();
            let token = |&index: &usize| &operands[0].data[index * features..][..features];
            indices.iter().flat_map(token).copied().collect()
        }
        Op::TopTokens { count } => selection::top_tokens(*count, operands[0], operands[1]),
        Op::TopFeatures { count } => selection::top_features(*count, operands[0]),
        Op::MeanTokens => tokens::mean(operands[0]),
        Op::Linear { weight, bias } => tokens::linear(operands[0], weight, bias.as_ref()),
        Op::LayerNorm(parameters) => tokens::layer_norm(parameters, operands[0]),
        Op::Softmax => tokens::softmax(operands[0]),
        Op::GroupNorm { groups, epsilon } => spatial::group_norm(*groups, *epsilon, operands[0]),
        Op::UnitLength { parts } => tokens::unit_length(*parts, operands[0]),
        Op::ResponseNorms { epsilon } => tokens::response_norms(*epsilon, operands[0]),
        Op::Function(function) => elementwise::function(*function, operands[0]),
        Op::Rotate(parameters) => tokens::rotate(parameters, operands[0]),
        Op::Attention(parameters) => tokens::attention(parameters, operands),
        Op::WindowAttention(parameters) => tokens::window_attention(parameters, operands),
        Op::DeformableAttention(parameters) => deformable::attention(parameters, operands),
    }
}

#[cfg(test)]
mod tests;
