//! Element by element, and what only rearranges channels.

use candle_core::{D, Result, Tensor};
use modelzoo_kernels::graph::{Activation, Function};

/// The dimension of channels or features: maps are NCHW, tokens NLC, vectors NC.
pub(super) fn channel_dim(x: &Tensor) -> usize {
    if x.rank() == 4 { 1 } else { x.rank() - 1 }
}

/// A value for each channel, in a shape that broadcasts over `x`.
pub(super) fn per_channel(values: &Tensor, x: &Tensor) -> Result<Tensor> {
    if x.rank() == 4 {
        values.reshape(((), 1, 1))
    } else {
        Ok(values.clone())
    }
}

pub(super) fn affine(x: &Tensor, scale: &Tensor, shift: &Tensor) -> Result<Tensor> {
    x.broadcast_mul(&per_channel(scale, x)?)?
        .broadcast_add(&per_channel(shift, x)?)
}

/// `right` may have one factor for each channel, as a vector or a map of 1 x 1.
pub(super) fn multiply(x: &Tensor, right: &Tensor) -> Result<Tensor> {
    let right = match (x.rank(), right.rank()) {
        (4, 2) => right.unsqueeze(D::Minus1)?.unsqueeze(D::Minus1)?,
        (3, 2) => right.unsqueeze(1)?,
        (2, 4) => right.flatten_from(1)?,
        (3, 4) => right.flatten_from(1)?.unsqueeze(1)?,
        (4, 3) => right.transpose(1, 2)?.unsqueeze(D::Minus1)?,
        (2, 3) => right.squeeze(1)?,
        _ => right.clone(),
    };
    x.broadcast_mul(&right)
}

/// Constants have a batch of one: they are repeated for the others' batch.
pub(super) fn concat(operands: &[&Tensor]) -> Result<Tensor> {
    let operands = with_equal_batches(operands)?;
    Tensor::cat(&operands, channel_dim(&operands[0]))
}

pub(super) fn with_equal_batches(operands: &[&Tensor]) -> Result<Vec<Tensor>> {
    let batch = operands
        .iter()
        .map(|operand| operand.dims()[0])
        .max()
        .unwrap_or(1);
    operands
        .iter()
        .map(|operand| {
            let mut dims = operand.dims().to_vec();
            dims[0] = batch;
            operand.broadcast_as(dims)?.contiguous()
        })
        .collect()
}

pub(super) fn channel_shuffle(x: &Tensor, groups: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    x.reshape((batch, groups, channels / groups, height, width))?
        .transpose(1, 2)?
        .contiguous()?
        .reshape((batch, channels, height, width))
}

pub(super) fn function(x: &Tensor, function: Function) -> Result<Tensor> {
    match function {
        Function::Exp => x.clamp(-87f32, 88f32)?.exp(),
        Function::Sin => x.sin(),
    }
}

pub(super) fn activation(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Relu => x.relu(),
        Activation::Relu6 => x.clamp(0f32, 6f32),
        // The larger of both, since the slope is at most 1.
        Activation::LeakyRelu(slope) => x.maximum(&(x * f64::from(slope))?),
        Activation::Silu => x.silu(),
        Activation::HardSwish => x * hard_sigmoid(x)?,
        Activation::HardSigmoid => hard_sigmoid(x),
        Activation::Sigmoid => candle_nn::ops::sigmoid(x),
        Activation::Gelu => x.gelu_erf(),
        Activation::TanhGelu => x.gelu(),
        Activation::QuickGelu => x * candle_nn::ops::sigmoid(&(x * 1.702)?)?,
        Activation::Tanh => x.tanh(),
        Activation::Clamp(limit) => x.clamp(-limit, limit),
    }
}

fn hard_sigmoid(x: &Tensor) -> Result<Tensor> {
    (x + 3.0)?.clamp(0f32, 6f32)? / 6.0
}

/// Equal parts of a map's channels, each to mean 0 and variance 1.
pub(super) fn group_norm(x: &Tensor, groups: usize, epsilon: f32) -> Result<Tensor> {
    let dims = x.dims4()?;
    let x = x.reshape((dims.0, groups, x.elem_count() / (dims.0 * groups)))?;
    let centered = x.broadcast_sub(&x.mean_keepdim(2)?)?;
    let deviation = (centered.sqr()?.mean_keepdim(2)? + f64::from(epsilon))?.sqrt()?;
    centered.broadcast_div(&deviation)?.reshape(dims)
}
