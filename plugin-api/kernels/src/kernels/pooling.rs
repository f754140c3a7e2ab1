//! Maximum and average over windows. Windows are cut to the input, so padding needs no halo.

use crate::{
    graph::Pool,
    memory::{Numbers, Region, View, ViewMut},
    simd::{Isa, Kernel, Simd},
};
use std::ops::Range;

/// What becomes of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reduction {
    /// The maximum.
    Maximum,
    /// The mean; padding counts in the divisor or not.
    Mean { count_include_pad: bool },
}

/// The windows of one dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Windows {
    /// Windows of `kernel` every `stride`, the first one `before` the input, over `after` behind it.
    Sliding {
        kernel: usize,
        stride: usize,
        before: usize,
        after: usize,
    },
    /// The input cut into so many parts, as `AdaptiveAvgPool2d` cuts it.
    Parts(usize),
}

impl Windows {
    pub(crate) fn of(pool: &Pool) -> [Self; 2] {
        let Pool {
            kernel,
            stride,
            padding,
            ..
        } = *pool;
        [
            Self::Sliding {
                kernel: kernel[0],
                stride: stride[0],
                before: padding.top,
                after: padding.bottom,
            },
            Self::Sliding {
                kernel: kernel[1],
                stride: stride[1],
                before: padding.left,
                after: padding.right,
            },
        ]
    }

    /// The part of the input of `length` that a window sees, and its length with padding.
    #[inline(always)]
    fn window(self, index: usize, length: usize) -> (Range<usize>, usize) {
        match self {
            Self::Sliding {
                kernel,
                stride,
                before,
                after,
            } => {
                let start = index * stride;
                let end = (start + kernel).min(before + length + after);
                (
                    start.saturating_sub(before).min(length)..end.saturating_sub(before).min(length),
                    end - start,
                )
            }
            Self::Parts(parts) => {
                let (start, end) = (index * length / parts, ((index + 1) * length).div_ceil(parts));
                (start..end, end - start)
            }
        }
    }
}

/// Reduces the windows of the rows of a region.
pub(crate) fn pool(isa: Isa, reduction: Reduction, windows: [Windows; 2], x: View, y: ViewMut) {
    isa.run(PoolRows {
        reduction,
        windows,
        x,
        y,
    });
}

struct PoolRows<'a> {
    reduction: Reduction,
    windows: [Windows; 2],
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for PoolRows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (height, width) = (self.x.layout().height, self.x.layout().width);
        let Region { blocks, rows, .. } = self.y.region().clone();
        for block in blocks {
            for row in rows.clone() {
                let (inside, padded_rows) = self.windows[0].window(row, height);
                let width_of_results = self.y.layout().width;
                let mut target = self.y.numbers(block, row, 0..width_of_results);
                for column in 0..width_of_results {
                    let (columns, padded_columns) = self.windows[1].window(column, width);
                    let mut value = match self.reduction {
                        Reduction::Maximum => simd.splat(f32::NEG_INFINITY),
                        Reduction::Mean { .. } => simd.splat(0.0),
                    };
                    for y in inside.clone() {
                        value = match self.x.numbers(block, y) {
                            Numbers::Float(pixels) => {
                                let pixels = pixels[columns.clone()].iter();
                                reduce(simd, self.reduction, value, pixels.map(|pixel| simd.load(pixel)))
                            }
                            Numbers::Bf16(pixels) => {
                                let pixels = pixels[columns.clone()].iter();
                                reduce(
                                    simd,
                                    self.reduction,
                                    value,
                                    pixels.map(|pixel| simd.load_bf16(pixel)),
                                )
                            }
                        };
                    }
                    if let Reduction::Mean { count_include_pad } = self.reduction {
                        let cells = if count_include_pad {
                            padded_rows * padded_columns
                        } else {
                            inside.len() * columns.len()
                        };
                        value = simd.mul(value, simd.splat(1.0 / cells as f32));
                    }
                    target.store(simd, column, value);
                }
            }
        }
    }
}

#[inline(always)]
fn reduce<S: Simd>(
    simd: S,
    reduction: Reduction,
    value: S::Vector,
    pixels: impl Iterator<Item = S::Vector>,
) -> S::Vector {
    let mut value = value;
    match reduction {
        Reduction::Maximum => {
            for pixel in pixels {
                value = simd.max(value, pixel);
            }
        }
        Reduction::Mean { .. } => {
            for pixel in pixels {
                value = simd.add(value, pixel);
            }
        }
    }
    value
}
