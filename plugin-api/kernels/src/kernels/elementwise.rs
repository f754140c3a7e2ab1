//! Layers that work element by element, where they are not part of a convolution's epilogue.

use super::activation::activate;
use crate::{
    graph::Activation,
    memory::{AlignedBuffer, Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// What is computed of each element `x`, and `z` of a second operand.
#[derive(Debug)]
pub(crate) enum Elementwise {
    /// `activation(x)`
    Activation(Activation),
    /// `scale[c] * x + shift[c]`; each is `[blocks][16]`.
    Affine {
        scale: AlignedBuffer,
        shift: AlignedBuffer,
    },
    /// `after(x + z)`
    Add { after: Option<Activation> },
    /// `x * z`
    Multiply,
    /// `x * z[c]`, with one factor for each channel.
    Scale,
    /// `x`
    Copy,
}

impl Elementwise {
    /// Computes the rows of a region; `z` is the second operand of those that have one.
    pub(crate) fn run(&self, isa: Isa, x: View, z: Option<View>, y: ViewMut) {
        let z = z.unwrap_or(x);
        isa.run(Rows { layer: self, x, z, y });
    }
}

struct Rows<'a> {
    layer: &'a Elementwise,
    x: View<'a>,
    z: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Region { blocks, rows, .. } = self.y.region().clone();
        let width = self.y.layout().width;
        for block in blocks {
            for row in rows.clone() {
                let x = self.x.numbers(block, row);
                let mut y = self.y.numbers(block, row, 0..width);
                match self.layer {
                    Elementwise::Activation(activation) => {
                        for at in 0..width {
                            y.store(simd, at, activate(simd, *activation, x.load(simd, at)));
                        }
                    }
                    Elementwise::Affine { scale, shift } => {
                        let scale = simd.load_slice(&scale[block * LANES..]);
                        let shift = simd.load_slice(&shift[block * LANES..]);
                        for at in 0..width {
                            y.store(simd, at, simd.mul_add(x.load(simd, at), scale, shift));
                        }
                    }
                    Elementwise::Add { after } => {
                        let z = self.z.numbers(block, row);
                        for at in 0..width {
                            let sum = simd.add(x.load(simd, at), z.load(simd, at));
                            let sum = match after {
                                Some(activation) => activate(simd, *activation, sum),
                                None => sum,
                            };
                            y.store(simd, at, sum);
                        }
                    }
                    Elementwise::Multiply => {
                        let z = self.z.numbers(block, row);
                        for at in 0..width {
                            y.store(simd, at, simd.mul(x.load(simd, at), z.load(simd, at)));
                        }
                    }
                    Elementwise::Scale => {
                        let factor = self.z.numbers(block, 0).load(simd, 0);
                        for at in 0..width {
                            y.store(simd, at, simd.mul(x.load(simd, at), factor));
                        }
                    }
                    Elementwise::Copy => {
                        for at in 0..width {
                            y.store(simd, at, x.load(simd, at));
                        }
                    }
                }
            }
        }
    }
}
