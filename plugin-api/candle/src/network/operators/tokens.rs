//! Linear layers, normalisation and attention.

use super::{Target, elementwise, in_single, tensor};
use candle_core::{D, Device, Result, Tensor};
use modelzoo_kernels::graph::{self, Attention};

/// `weight` is transposed already: `[in, out]`.
pub(super) fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = x.broadcast_matmul(weight)?;
    match bias {
        Some(bias) => y.broadcast_add(bias),
        None => Ok(y),
    }
}

/// Tokens of all operands; constants among them are repeated for the batch.
pub(super) fn concat(operands: &[&Tensor]) -> Result<Tensor> {
    Tensor::cat(&elementwise::with_equal_batches(operands)?, 1)
}

#[derive(Debug)]
pub(super) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl LayerNorm {
    pub(super) fn new(parameters: &graph::LayerNorm, device: &Device) -> Result<Self> {
        Ok(Self {
            weight: tensor(&parameters.weight, device)?,
            bias: tensor(&parameters.bias, device)?,
            epsilon: f64::from(parameters.epsilon),
        })
    }

    pub(super) fn run(&self, x: &Tensor) -> Result<Tensor> {
        let dim = elementwise::channel_dim(x);
        in_single(x, |x| {
            let centered = x.broadcast_sub(&x.mean_keepdim(dim)?)?;
            let deviation = (centered.sqr()?.mean_keepdim(dim)? + self.epsilon)?.sqrt()?;
            elementwise::affine(&centered.broadcast_div(&deviation)?, &self.weight, &self.bias)
        })
    }
}

/// Parts of the features, each divided by its 2-norm.
pub(super) fn unit_length(x: &Tensor, parts: usize) -> Result<Tensor> {
    let (batch, count, features) = x.dims3()?;
    let x = x.reshape((batch, count, parts, features / parts))?;
    let lengths = x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12)?;
    x.broadcast_div(&lengths)?.reshape((batch, count, features))
}

/// The 2-norm of each feature of all tokens, divided by the mean of these norms.
pub(super) fn response_norms(x: &Tensor, epsilon: f32) -> Result<Tensor> {
    let norms = x.sqr()?.sum(1)?.sqrt()?;
    let mean = (norms.mean_keepdim(1)? + f64::from(epsilon))?;
    norms.broadcast_div(&mean)
}

#[derive(Debug)]
pub(super) struct Rotation {
    heads: usize,
    /// `[tokens, 1, features of a head]`
    cosines: Tensor,
    /// The same.
    sines: Tensor,
}

impl Rotation {
    pub(super) fn new(parameters: &graph::Rotation, target: &Target) -> Result<Self> {
        Ok(Self {
            heads: parameters.heads,
            cosines: target.tensor(&parameters.cosines)?.unsqueeze(1)?,
            sines: target.tensor(&parameters.sines)?.unsqueeze(1)?,
        })
    }

    pub(super) fn run(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, count, features) = x.dims3()?;
        let x = x.reshape((batch, count, self.heads, features / self.heads))?;
        let half = features / self.heads / 2;
        let (first, second) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
        let exchanged = Tensor::cat(&[&second.neg()?, &first], D::Minus1)?;
        let turned = (x.broadcast_mul(&self.cosines)? + exchanged.broadcast_mul(&self.sines)?)?;
        turned.reshape((batch, count, features))
    }
}

/// `softmax(q k^T * scale) v` for each head.
pub(super) fn attention(operands: &[&Tensor], parameters: &Attention, device: &Device) -> Result<Tensor> {
    let heads = |x: &Tensor| -> Result<Tensor> {
        let (batch, count, features) = x.dims3()?;
        x.reshape((batch, count, parameters.heads, features / parameters.heads))?
            .transpose(1, 2)?
            .contiguous()
    };
    let operands = elementwise::with_equal_batches(operands)?;
    let (queries, keys, values) = (heads(&operands[0])?, heads(&operands[1])?, heads(&operands[2])?);
    let scale = match parameters.scale {
        Some(scale) => f64::from(scale),
        None => 1.0 / (queries.dim(D::Minus1)? as f64).sqrt(),
    };
    let mut scores = (queries * scale)?.matmul(&keys.t()?.contiguous()?)?;
    if parameters.causal {
        let later = later_tokens(scores.dim(2)?, device)?.to_dtype(scores.dtype())?;
        scores = scores.broadcast_add(&later)?;
    }
    let attended = shares(&scores)?.matmul(&values)?;
    attended.transpose(1, 2)?.contiguous()?.flatten_from(2)
}

/// `softmax` of the last dimension.
fn shares(scores: &Tensor) -> Result<Tensor> {
    in_single(scores, |scores| candle_nn::ops::softmax(scores, D::Minus1))
}

#[derive(Debug)]
pub(super) struct WindowAttention {
    heads: usize,
    windows: usize,
    scale: Option<f32>,
    /// `[1 or windows, heads, queries, keys]`
    bias: Tensor,
}

impl WindowAttention {
    pub(super) fn new(parameters: &graph::WindowAttention, target: &Target) -> Result<Self> {
        Ok(Self {
            heads: parameters.heads,
            windows: parameters.windows,
            scale: parameters.scale,
            bias: target.tensor(&parameters.bias)?.unsqueeze(0)?,
        })
    }

    /// `softmax(q k^T * scale + bias) v` for each head of each window.
    pub(super) fn run(&self, operands: &[&Tensor]) -> Result<Tensor> {
        let operands = elementwise::with_equal_batches(operands)?;
        // Candle multiplies matrices of at most four dimensions: windows stand beside pictures until the bias is added.
        let parts = |x: &Tensor| -> Result<Tensor> {
            let (batch, count, features) = x.dims3()?;
            x.reshape((
                batch * self.windows,
                count / self.windows,
                self.heads,
                features / self.heads,
            ))?
            .transpose(1, 2)?
            .contiguous()
        };
        let (queries, keys, values) = (parts(&operands[0])?, parts(&operands[1])?, parts(&operands[2])?);
        let scale = match self.scale {
            Some(scale) => f64::from(scale),
            None => 1.0 / (queries.dim(D::Minus1)? as f64).sqrt(),
        };
        let scores = (queries * scale)?.matmul(&keys.t()?.contiguous()?)?;
        let (groups, heads, count, _) = scores.dims4()?;
        let batch = groups / self.windows;
        let scores = scores
            .reshape((batch, self.windows, heads, count, count))?
            .broadcast_add(&self.bias)?
            .reshape((groups, heads, count, count))?;
        let attended = shares(&scores)?.matmul(&values)?;
        let width = attended.dim(D::Minus1)?;
        attended
            .transpose(1, 2)?
            .contiguous()?
            .reshape((batch, self.windows * count, heads * width))
    }
}

/// Minus infinity where a token would see a later one, 0 elsewhere.
fn later_tokens(count: usize, device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = (0..count)
        .flat_map(|row| (0..count).map(move |column| if column > row { f32::NEG_INFINITY } else { 0.0 }))
        .collect();
    Tensor::from_vec(values, (count, count), device)
}
