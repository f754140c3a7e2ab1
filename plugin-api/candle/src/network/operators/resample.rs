//! Resampling of maps as products with small matrices, the same on every device.

use candle_core::{Device, Result, Tensor};
use modelzoo_kernels::graph::{Interpolation, Shape};

/// `torch.nn.functional.interpolate` from the shape `from` to the shape `to`.
pub(super) fn interpolate(
    x: &Tensor,
    interpolation: Interpolation,
    from: Shape,
    to: Shape,
) -> Result<Tensor> {
    let (from, to) = (from.dims(), to.dims());
    match interpolation {
        Interpolation::Nearest => {
            let indices = |axis: usize| {
                let indices: Vec<u32> = (0..to[axis])
                    .map(|place| (place * from[axis] / to[axis]) as u32)
                    .collect();
                Tensor::new(indices, x.device())
            };
            x.index_select(&indices(1)?, 2)?.index_select(&indices(2)?, 3)
        }
        Interpolation::Bilinear { align_corners } => {
            let weights = |axis: usize| linear_weights(from[axis], to[axis], align_corners);
            separable(x, weights(1), weights(2))
        }
    }
}

/// `torch.nn.AdaptiveAvgPool2d`.
pub(super) fn adaptive_average(x: &Tensor, [height, width]: [usize; 2]) -> Result<Tensor> {
    let (_, _, rows, columns) = x.dims4()?;
    if [height, width] == [1, 1] {
        return x.mean_keepdim((2, 3));
    }
    separable(x, mean_weights(rows, height), mean_weights(columns, width))
}

/// A matrix `[to, from]` by rows.
struct Matrix {
    to: usize,
    from: usize,
    values: Vec<f32>,
}

impl Matrix {
    fn zeros(to: usize, from: usize) -> Self {
        Self {
            to,
            from,
            values: vec![0.0; to * from],
        }
    }

    fn add(&mut self, row: usize, column: usize, value: f32) {
        self.values[row * self.from + column] += value;
    }

    fn tensor(self, device: &Device) -> Result<Tensor> {
        Tensor::from_vec(self.values, (self.to, self.from), device)
    }
}

/// `rows * x * columns^T` for each channel.
fn separable(x: &Tensor, rows: Matrix, columns: Matrix) -> Result<Tensor> {
    let columns = columns.tensor(x.device())?.t()?.contiguous()?;
    let rows = rows.tensor(x.device())?;
    let wide = x.contiguous()?.broadcast_matmul(&columns)?;
    rows.broadcast_matmul(&wide)
}

fn linear_weights(from: usize, to: usize, align_corners: bool) -> Matrix {
    let mut matrix = Matrix::zeros(to, from);
    for place in 0..to {
        let source = if align_corners {
            place as f64 * (from - 1) as f64 / (to - 1).max(1) as f64
        } else {
            ((place as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0)
        };
        let first = (source as usize).min(from - 1);
        let fraction = (source - first as f64) as f32;
        matrix.add(place, first, 1.0 - fraction);
        matrix.add(place, (first + 1).min(from - 1), fraction);
    }
    matrix
}

fn mean_weights(from: usize, to: usize) -> Matrix {
    let mut matrix = Matrix::zeros(to, from);
    for place in 0..to {
        let (start, end) = (place * from / to, ((place + 1) * from).div_ceil(to));
        for source in start..end {
            matrix.add(place, source, 1.0 / (end - start) as f32);
        }
    }
    matrix
}
