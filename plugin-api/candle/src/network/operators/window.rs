//! Pooling with what Candle's has not: padding, and sizes that are rounded up.

use candle_core::{DType, Device, Result, Tensor};
use modelzoo_kernels::graph::{Padding, Pool, Shape};

/// Pads with minus infinity, so that padding is never the maximum.
pub(super) fn max_pool(x: &Tensor, pool: &Pool, result: Shape) -> Result<Tensor> {
    let [bottom, right] = needed_after(x, pool, result)?;
    let x = pad(x, 2, pool.padding.top, bottom, f32::NEG_INFINITY)?;
    let x = pad(&x, 3, pool.padding.left, right, f32::NEG_INFINITY)?;
    x.max_pool2d_with_stride((pool.kernel[0], pool.kernel[1]), (pool.stride[0], pool.stride[1]))
}

/// Sums windows padded with zeros, and divides each by the number of its elements that count.
pub(super) fn average_pool(
    x: &Tensor,
    pool: &Pool,
    count_include_pad: bool,
    result: Shape,
) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    let [bottom, right] = needed_after(x, pool, result)?;
    let Padding { top, left, .. } = pool.padding;
    let padded = pad(&pad(x, 2, top, bottom, 0.0)?, 3, left, right, 0.0)?;
    let (kernel, stride) = ((pool.kernel[0], pool.kernel[1]), (pool.stride[0], pool.stride[1]));
    let means = padded.avg_pool2d_with_stride(kernel, stride)?;
    // What counts has the value 1 here, so that the mean of a window is the share of it that counts.
    let ones = |height, width| Tensor::ones((1, 1, height, width), DType::F32, &Device::Cpu);
    let counted = if count_include_pad {
        let Padding {
            bottom: own_bottom,
            right: own_right,
            ..
        } = pool.padding;
        let padded = ones(height + top + own_bottom, width + left + own_right)?;
        pad(
            &pad(&padded, 2, 0, bottom.saturating_sub(own_bottom), 0.0)?,
            3,
            0,
            right.saturating_sub(own_right),
            0.0,
        )?
        .narrow(2, 0, height + top + bottom)?
        .narrow(3, 0, width + left + right)?
    } else {
        pad(
            &pad(&ones(height, width)?, 2, top, bottom, 0.0)?,
            3,
            left,
            right,
            0.0,
        )?
    };
    let shares = counted
        .contiguous()?
        .avg_pool2d_with_stride(kernel, stride)?
        .to_device(x.device())?;
    means.broadcast_div(&shares)
}

/// Rows below and columns at the right, so that exactly the result's windows fit.
fn needed_after(x: &Tensor, pool: &Pool, result: Shape) -> Result<[usize; 2]> {
    let (_, _, height, width) = x.dims4()?;
    let dims = result.dims();
    let needed = |side: usize, before: usize, outputs: usize, axis: usize| {
        ((outputs - 1) * pool.stride[axis] + pool.kernel[axis]).saturating_sub(side + before)
    };
    Ok([
        needed(height, pool.padding.top, dims[1], 0),
        needed(width, pool.padding.left, dims[2], 1),
    ])
}

fn pad(x: &Tensor, dim: usize, before: usize, after: usize, value: f32) -> Result<Tensor> {
    let border = |count: usize| -> Result<Tensor> {
        let mut dims = x.dims().to_vec();
        dims[dim] = count;
        Tensor::full(value, dims, x.device())?.to_dtype(x.dtype())
    };
    match (before, after) {
        (0, 0) => Ok(x.clone()),
        (0, after) => Tensor::cat(&[x, &border(after)?], dim),
        (before, 0) => Tensor::cat(&[&border(before)?, x], dim),
        (before, after) => Tensor::cat(&[&border(before)?, x, &border(after)?], dim),
    }
}
