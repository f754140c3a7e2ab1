//! Nearest and bilinear interpolation.

use crate::{
    graph::Interpolation,
    memory::{Region, View, ViewMut},
    simd::{Isa, Kernel, Simd},
};

/// Which pixels of the input one row or column of the result is made of.
#[derive(Clone, Copy, Debug)]
struct Source {
    first: usize,
    second: usize,
    /// The weight of the second one.
    weight: f32,
}

/// An interpolation between two sizes.
#[derive(Debug)]
pub(crate) struct Upsampling {
    rows: Vec<Source>,
    columns: Vec<Source>,
    bilinear: bool,
}

impl Upsampling {
    /// From `[height, width]` to `[height, width]`.
    pub(crate) fn new(interpolation: Interpolation, from: [usize; 2], to: [usize; 2]) -> Self {
        let sources = |from: usize, to: usize| {
            (0..to)
                .map(|index| source(interpolation, index, from, to))
                .collect()
        };
        Self {
            rows: sources(from[0], to[0]),
            columns: sources(from[1], to[1]),
            bilinear: interpolation != Interpolation::Nearest,
        }
    }

    /// Interpolates the rows of a region.
    pub(crate) fn run(&self, isa: Isa, x: View, y: ViewMut) {
        isa.run(Rows { layer: self, x, y });
    }
}

fn source(interpolation: Interpolation, index: usize, from: usize, to: usize) -> Source {
    let position = match interpolation {
        Interpolation::Nearest => {
            let first = index * from / to;
            return Source {
                first,
                second: first,
                weight: 0.0,
            };
        }
        Interpolation::Bilinear { align_corners: true } if to > 1 => {
            (index * (from - 1)) as f64 / (to - 1) as f64
        }
        Interpolation::Bilinear { align_corners: true } => 0.0,
        Interpolation::Bilinear { align_corners: false } => {
            ((index as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0)
        }
    };
    let first = (position as usize).min(from - 1);
    Source {
        first,
        second: (first + 1).min(from - 1),
        weight: (position - first as f64) as f32,
    }
}

struct Rows<'a> {
    layer: &'a Upsampling,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Region { blocks, rows, .. } = self.y.region().clone();
        for block in blocks {
            for row in rows.clone() {
                let source = self.layer.rows[row];
                let (top, bottom) = (self.x.row(block, source.first), self.x.row(block, source.second));
                let down = simd.splat(source.weight);
                for (target, source) in self.y.row(block, row).iter_mut().zip(&self.layer.columns) {
                    if !self.layer.bilinear {
                        *target = top[source.first];
                        continue;
                    }
                    let right = simd.splat(source.weight);
                    let between = |a, b, weight| simd.mul_add(simd.sub(b, a), weight, a);
                    let upper = between(
                        simd.load(&top[source.first]),
                        simd.load(&top[source.second]),
                        right,
                    );
                    let lower = between(
                        simd.load(&bottom[source.first]),
                        simd.load(&bottom[source.second]),
                        right,
                    );
                    simd.store(target, between(upper, lower, down));
                }
            }
        }
    }
}
