//! Layer normalisation and softmax over the channels of each position.

use crate::{
    memory::{AlignedBuffer, Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd, exp},
};
use std::ops::Range;

/// What is done to the channels of each position.
#[derive(Debug)]
pub(crate) enum Normalisation {
    /// To mean 0 and variance 1, then `weight[c] * x + bias[c]`; both are `[blocks][16]`.
    Layer {
        weight: AlignedBuffer,
        bias: AlignedBuffer,
        epsilon: f32,
    },
    /// To `e^x / sum(e^x)`.
    Softmax,
}

/// Positions that go through all passes together, so that they stay in the first cache.
const TOGETHER: usize = 8;

impl Normalisation {
    /// Normalises the positions of a region, which has all blocks.
    pub(crate) fn run(&self, isa: Isa, x: View, y: ViewMut) {
        isa.run(Positions { layer: self, x, y });
    }
}

struct Positions<'a> {
    layer: &'a Normalisation,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Positions<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Region { rows, columns, .. } = self.y.region().clone();
        for row in rows {
            let mut start = columns.start;
            while start < columns.end {
                let end = (start + TOGETHER).min(columns.end);
                match self.layer {
                    Normalisation::Layer {
                        weight,
                        bias,
                        epsilon,
                    } => {
                        layer_norm(
                            simd,
                            (weight, bias, *epsilon),
                            row,
                            start..end,
                            &self.x,
                            &mut self.y,
                        );
                    }
                    Normalisation::Softmax => softmax(simd, row, start..end, &self.x, &mut self.y),
                }
                start = end;
            }
        }
    }
}

/// The sum of the lanes that are channels.
#[inline(always)]
fn total<S: Simd>(simd: S, value: S::Vector) -> f32 {
    let mut lanes = [0.0; LANES];
    simd.store(&mut lanes, value);
    lanes.iter().sum()
}

/// 1 for lanes of a block that are channels, 0 for the others.
#[inline(always)]
fn mask<S: Simd>(simd: S, channels: usize, block: usize) -> S::Vector {
    let inside = channels - block * LANES;
    simd.load(&std::array::from_fn(|lane| if lane < inside { 1.0 } else { 0.0 }))
}

#[inline(always)]
fn layer_norm<S: Simd>(
    simd: S,
    (weight, bias, epsilon): (&AlignedBuffer, &AlignedBuffer, f32),
    row: usize,
    columns: Range<usize>,
    x: &View,
    y: &mut ViewMut,
) {
    let (blocks, channels) = (x.layout().blocks(), x.layout().channels);
    let last = mask(simd, channels, blocks - 1);
    let mut means = [0.0f32; TOGETHER];
    let mut scales = [0.0f32; TOGETHER];
    let mut sums = [simd.splat(0.0); TOGETHER];
    for block in 0..blocks {
        let pixels = x.numbers(block, row);
        for (sum, column) in sums.iter_mut().zip(columns.clone()) {
            let value = pixels.load(simd, column);
            // Lanes beyond the last channel may hold anything, also what is not a number.
            let value = if block + 1 == blocks {
                keep(simd, value, last)
            } else {
                value
            };
            *sum = simd.add(*sum, value);
        }
    }
    for (mean, sum) in means.iter_mut().zip(sums) {
        *mean = total(simd, sum) / channels as f32;
    }
    let mut squares = [simd.splat(0.0); TOGETHER];
    for block in 0..blocks {
        let pixels = x.numbers(block, row);
        for ((sum, column), &mean) in squares.iter_mut().zip(columns.clone()).zip(&means) {
            let difference = simd.sub(pixels.load(simd, column), simd.splat(mean));
            let difference = if block + 1 == blocks {
                keep(simd, difference, last)
            } else {
                difference
            };
            *sum = simd.mul_add(difference, difference, *sum);
        }
    }
    for (scale, sum) in scales.iter_mut().zip(squares) {
        *scale = 1.0 / (total(simd, sum) / channels as f32 + epsilon).sqrt();
    }
    for block in 0..blocks {
        let weight = simd.load_slice(&weight[block * LANES..]);
        let bias = simd.load_slice(&bias[block * LANES..]);
        let pixels = x.numbers(block, row);
        let mut y = y.numbers(block, row, columns.clone());
        for (at, (column, (&mean, &scale))) in columns.clone().zip(means.iter().zip(&scales)).enumerate() {
            let difference = simd.sub(pixels.load(simd, column), simd.splat(mean));
            let value = simd.mul(difference, simd.splat(scale));
            y.store(simd, at, simd.mul_add(value, weight, bias));
        }
    }
}

/// The value where the mask is 1, 0 where it is 0.
#[inline(always)]
fn keep<S: Simd>(simd: S, value: S::Vector, mask: S::Vector) -> S::Vector {
    let (mut values, mut kept) = ([0.0; LANES], [0.0; LANES]);
    simd.store(&mut values, value);
    simd.store(&mut kept, mask);
    simd.load(&std::array::from_fn(|lane| {
        if kept[lane] > 0.0 { values[lane] } else { 0.0 }
    }))
}

#[inline(always)]
fn softmax<S: Simd>(simd: S, row: usize, columns: Range<usize>, x: &View, y: &mut ViewMut) {
    let (blocks, channels) = (x.layout().blocks(), x.layout().channels);
    let last = channels - (blocks - 1) * LANES;
    for column in columns {
        let mut largest = f32::NEG_INFINITY;
        for block in 0..blocks {
            let inside = if block + 1 == blocks { last } else { LANES };
            let pixel = &x.row(block, row)[column];
            largest = pixel[..inside].iter().copied().fold(largest, f32::max);
        }
        let mut sum = 0.0;
        for block in 0..blocks {
            let inside = if block + 1 == blocks { last } else { LANES };
            let target = &mut y.pixels(block, row, column..column + 1)[0];
            let difference = simd.sub(simd.load(&x.row(block, row)[column]), simd.splat(largest));
            // Lanes that are no channels may be larger: they must not grow beyond all bounds from layer to layer.
            let difference = simd.min(difference, simd.splat(0.0));
            simd.store(target, exp(simd, difference));
            sum += target[..inside].iter().sum::<f32>();
        }
        let factor = simd.splat(1.0 / sum);
        for block in 0..blocks {
            let target = &mut y.pixels(block, row, column..column + 1)[0];
            let value = simd.mul(simd.load(target), factor);
            simd.store(target, value);
        }
    }
}
