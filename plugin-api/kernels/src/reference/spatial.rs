//! Operators of maps: convolution, pooling, upsampling.

use super::Operand;
use crate::graph::{Convolution, Interpolation, Pool, Shape, TransposedConvolution, Weight};

fn rows_and_columns(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Map { height, width, .. } => (height, width),
        _ => (1, shape.positions()),
    }
}

/// One value for each channel, row and column of `shape`.
fn fill(shape: Shape, value: impl Fn(usize, usize, usize) -> f64) -> Vec<f64> {
    let (rows, columns) = rows_and_columns(shape);
    let mut result = Vec::with_capacity(shape.elements());
    for channel in 0..shape.channels() {
        for row in 0..rows {
            result.extend((0..columns).map(|column| value(channel, row, column)));
        }
    }
    result
}

fn bias_of(bias: Option<&Weight>, channel: usize) -> f64 {
    bias.map_or(0.0, |bias| f64::from(bias.data()[channel]))
}

pub(super) fn convolution(parameters: &Convolution, x: Operand, shape: Shape) -> Vec<f64> {
    let (height, width) = x.height_and_width();
    let [kernel_height, kernel_width] = parameters.kernel();
    let weight = parameters.weight.data();
    let padding = parameters.padding_of(x.shape);
    let group_inputs = x.shape.channels() / parameters.groups;
    let group_outputs = shape.channels() / parameters.groups;
    fill(shape, |output, row, column| {
        let first = output / group_outputs * group_inputs;
        let mut sum = bias_of(parameters.bias.as_ref(), output);
        for input in 0..group_inputs {
            for ky in 0..kernel_height {
                let y = (row * parameters.stride[0] + ky * parameters.dilation[0]).wrapping_sub(padding.top);
                for kx in 0..kernel_width {
                    let column = (column * parameters.stride[1] + kx * parameters.dilation[1])
                        .wrapping_sub(padding.left);
                    if y < height && column < width {
                        let at = ((output * group_inputs + input) * kernel_height + ky) * kernel_width + kx;
                        let pixel = ((first + input) * height + y) * width + column;
                        sum += f64::from(weight[at]) * x.data[pixel];
                    }
                }
            }
        }
        sum
    })
}

pub(super) fn transposed_convolution(
    parameters: &TransposedConvolution,
    x: Operand,
    shape: Shape,
) -> Vec<f64> {
    let (height, width) = x.height_and_width();
    let (rows, columns) = rows_and_columns(shape);
    let dims = parameters.weight.dims();
    let (kernel_height, kernel_width) = (dims[2], dims[3]);
    let mut result = fill(shape, |output, _, _| bias_of(parameters.bias.as_ref(), output));
    for input in 0..x.shape.channels() {
        for output in 0..shape.channels() {
            for (y, x_) in (0..height).flat_map(|y| (0..width).map(move |x_| (y, x_))) {
                let value = x.data[(input * height + y) * width + x_];
                for (ky, kx) in (0..kernel_height).flat_map(|ky| (0..kernel_width).map(move |kx| (ky, kx))) {
                    let row = (y * parameters.stride[0] + ky).wrapping_sub(parameters.padding);
                    let column = (x_ * parameters.stride[1] + kx).wrapping_sub(parameters.padding);
                    if row < rows && column < columns {
                        let at =
                            ((input * shape.channels() + output) * kernel_height + ky) * kernel_width + kx;
                        let factor = f64::from(parameters.weight.data()[at]);
                        result[(output * rows + row) * columns + column] += factor * value;
                    }
                }
            }
        }
    }
    result
}

/// The rows (or columns) of the input that a window sees: `(start, end, cells with padding)`.
fn window(
    index: usize,
    stride: usize,
    kernel: usize,
    before: usize,
    length: usize,
    after: usize,
) -> (usize, usize, usize) {
    let start = index * stride;
    let end = (start + kernel).min(before + length + after);
    let clip = |position: usize| position.saturating_sub(before).min(length);
    (clip(start), clip(end), end - start)
}

fn windows(
    pool: &Pool,
    x: Operand,
    shape: Shape,
    reduce: impl Fn(&mut dyn Iterator<Item = f64>, usize) -> f64,
) -> Vec<f64> {
    let (height, width) = x.height_and_width();
    fill(shape, |channel, row, column| {
        let padding = pool.padding;
        let (top, bottom, rows) = window(
            row,
            pool.stride[0],
            pool.kernel[0],
            padding.top,
            height,
            padding.bottom,
        );
        let (left, right, columns) = window(
            column,
            pool.stride[1],
            pool.kernel[1],
            padding.left,
            width,
            padding.right,
        );
        let plane = &x.data[channel * height * width..];
        let mut cells =
            (top..bottom).flat_map(|y| plane[y * width + left..y * width + right].iter().copied());
        reduce(&mut cells, rows * columns)
    })
}

pub(super) fn max_pool(pool: &Pool, x: Operand, shape: Shape) -> Vec<f64> {
    windows(pool, x, shape, |cells, _| cells.fold(f64::NEG_INFINITY, f64::max))
}

pub(super) fn average_pool(pool: &Pool, count_include_pad: bool, x: Operand, shape: Shape) -> Vec<f64> {
    windows(pool, x, shape, |cells, padded_cells| {
        let (sum, cells) = cells.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
        sum / if count_include_pad { padded_cells } else { cells } as f64
    })
}

pub(super) fn adaptive_average_pool(size: [usize; 2], x: Operand, shape: Shape) -> Vec<f64> {
    let (height, width) = x.height_and_width();
    let range = |index: usize, length: usize, parts: usize| {
        (index * length / parts, ((index + 1) * length).div_ceil(parts))
    };
    fill(shape, |channel, row, column| {
        let (top, bottom) = range(row, height, size[0]);
        let (left, right) = range(column, width, size[1]);
        let plane = &x.data[channel * height * width..];
        let sum: f64 = (top..bottom)
            .map(|y| plane[y * width + left..y * width + right].iter().sum::<f64>())
            .sum();
        sum / ((bottom - top) * (right - left)) as f64
    })
}

pub(super) fn upsample(interpolation: Interpolation, x: Operand, shape: Shape) -> Vec<f64> {
    let (height, width) = x.height_and_width();
    let (rows, columns) = rows_and_columns(shape);
    fill(shape, |channel, row, column| {
        let plane = &x.data[channel * height * width..];
        match interpolation {
            Interpolation::Nearest => plane[row * height / rows * width + column * width / columns],
            Interpolation::Bilinear { align_corners } => {
                let (y0, y1, fy) = neighbours(row, height, rows, align_corners);
                let (x0, x1, fx) = neighbours(column, width, columns, align_corners);
                let at = |y: usize, x: usize| plane[y * width + x];
                let top = at(y0, x0) * (1.0 - fx) + at(y0, x1) * fx;
                let bottom = at(y1, x0) * (1.0 - fx) + at(y1, x1) * fx;
                top * (1.0 - fy) + bottom * fy
            }
        }
    })
}

/// The two source pixels of a target pixel and the weight of the second.
fn neighbours(index: usize, source: usize, target: usize, align_corners: bool) -> (usize, usize, f64) {
    let position = if align_corners {
        if target > 1 {
            (index * (source - 1)) as f64 / (target - 1) as f64
        } else {
            0.0
        }
    } else {
        ((index as f64 + 0.5) * source as f64 / target as f64 - 0.5).max(0.0)
    };
    let first = (position as usize).min(source - 1);
    (first, (first + 1).min(source - 1), position - first as f64)
}

pub(super) fn group_norm(groups: usize, epsilon: f32, x: Operand) -> Vec<f64> {
    let mut result = x.data.to_vec();
    for group in result.chunks_mut(x.data.len() / groups) {
        let count = group.len() as f64;
        let mean = group.iter().sum::<f64>() / count;
        let variance = group.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + f64::from(epsilon)).sqrt();
        group
            .iter_mut()
            .for_each(|value| *value = (*value - mean) / deviation);
    }
    result
}
