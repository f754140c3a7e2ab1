//! Convolutions with what Candle's have not: uneven padding, unequal strides and dilations, a bias, a normalisation.

use super::{Target, tensor};
use candle_core::{DType, Result, Tensor};
use modelzoo_kernels::graph::{self, Padding, Weight};

#[derive(Debug)]
pub(super) struct Convolution {
    weight: Tensor,
    /// `[1, out, 1, 1]`
    bias: Option<Tensor>,
    stride: [usize; 2],
    dilation: usize,
    groups: usize,
    /// Of the weights and sums.
    dtype: DType,
}

impl Convolution {
    /// Copies the parameters, multiplied with the scale and moved by the shift of a normalisation that follows.
    pub(super) fn new(
        parameters: &graph::Convolution,
        affine: Option<(&Weight, &Weight)>,
        target: &Target,
    ) -> Result<Self> {
        let device = &target.device;
        let mut weight = tensor(&parameters.weight, device)?;
        let mut bias = parameters
            .bias
            .as_ref()
            .map(|bias| tensor(bias, device))
            .transpose()?;
        if let Some((scale, shift)) = affine {
            let (scale, shift) = (tensor(scale, device)?, tensor(shift, device)?);
            weight = weight.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
            bias = Some(match bias {
                Some(bias) => ((bias * &scale)? + shift)?,
                None => shift,
            });
        }
        let [vertical, horizontal] = parameters.dilation;
        let dilation = if vertical == horizontal { vertical } else { 1 };
        if vertical != horizontal {
            weight = with_gaps(&weight, parameters.dilation)?;
        }
        let dtype = if parameters.wide_sums && !device.is_metal() {
            DType::F64
        } else {
            target.dtype
        };
        let bias = bias.map(|bias| bias.reshape((1, (), 1, 1))?.to_dtype(dtype));
        Ok(Self {
            weight: weight.contiguous()?.to_dtype(dtype)?,
            bias: bias.transpose()?,
            stride: parameters.stride,
            dilation,
            groups: parameters.groups,
            dtype,
        })
    }

    /// Convolves a map with as many zeros around it.
    pub(super) fn run(&self, x: &Tensor, padding: Padding) -> Result<Tensor> {
        self.convolve(&x.to_dtype(self.dtype)?, padding)?
            .to_dtype(x.dtype())
    }

    fn convolve(&self, x: &Tensor, padding: Padding) -> Result<Tensor> {
        let Padding {
            top,
            bottom,
            left,
            right,
        } = padding;
        let is_even = top == bottom && left == right && top == left;
        let [vertical, horizontal] = self.stride;
        let stride = if vertical == horizontal { vertical } else { 1 };
        let y = if is_even {
            x.conv2d(&self.weight, top, stride, self.dilation, self.groups)?
        } else {
            let padded = x.pad_with_zeros(2, top, bottom)?.pad_with_zeros(3, left, right)?;
            padded.conv2d(&self.weight, 0, stride, self.dilation, self.groups)?
        };
        let y = if vertical == horizontal {
            y
        } else {
            every(&every(&y, 2, vertical)?, 3, horizontal)?
        };
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

/// A kernel with zeros between its elements: a dilated one that needs no dilation.
fn with_gaps(weight: &Tensor, [vertical, horizontal]: [usize; 2]) -> Result<Tensor> {
    let spread = |x: &Tensor, dim: usize, step: usize| -> Result<Tensor> {
        let length = x.dim(dim)?;
        let spread = x.unsqueeze(dim + 1)?.pad_with_zeros(dim + 1, 0, step - 1)?;
        spread
            .flatten(dim, dim + 1)?
            .narrow(dim, 0, (length - 1) * step + 1)
    };
    spread(&spread(weight, 2, vertical)?, 3, horizontal)
}

/// Every `step`-th row or column, from the first.
fn every(x: &Tensor, dim: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let indices: Vec<u32> = (0..x.dim(dim)? as u32).step_by(step).collect();
    x.index_select(&Tensor::new(indices, x.device())?, dim)
}

#[derive(Debug)]
pub(super) struct TransposedConvolution {
    weight: Tensor,
    /// `[1, out, 1, 1]`
    bias: Option<Tensor>,
    stride: [usize; 2],
    padding: usize,
    output_padding: usize,
}

impl TransposedConvolution {
    pub(super) fn new(parameters: &graph::TransposedConvolution, target: &Target) -> Result<Self> {
        let bias = parameters
            .bias
            .as_ref()
            .map(|bias| target.tensor(bias)?.reshape((1, (), 1, 1)));
        Ok(Self {
            weight: target.tensor(&parameters.weight)?,
            bias: bias.transpose()?,
            stride: parameters.stride,
            padding: parameters.padding,
            output_padding: parameters.output_padding,
        })
    }

    pub(super) fn run(&self, x: &Tensor) -> Result<Tensor> {
        let [vertical, horizontal] = self.stride;
        // Unequal strides: zeros between rows and columns make it a convolution of stride 1 on a larger input.
        let y = if vertical == horizontal {
            x.conv_transpose2d(&self.weight, self.padding, self.output_padding, vertical, 1)?
        } else {
            let spread = with_gaps(x, self.stride)?.contiguous()?;
            spread.conv_transpose2d(&self.weight, self.padding, self.output_padding, 1, 1)?
        };
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}
