//! Numbers to their narrow forms and back.

use super::requantise::{numbers, store_nearest};
use crate::{
    memory::{AlignedBuffer, Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// From a value to the same one of another kind.
#[derive(Debug)]
pub(crate) enum Conversion {
    /// Numbers to the bytes that come nearest; the factors are one by what one more of a byte stands for.
    ToBytes(ByteScale),
    /// Bytes to the numbers that they stand for; the factors are what one more stands for.
    FromBytes(ByteScale),
    /// Numbers to the bf16 that come nearest.
    ToBf16,
    /// bf16 to numbers.
    FromBf16,
}

/// How bytes and numbers belong together.
#[derive(Debug)]
pub(crate) struct ByteScale {
    /// The byte that stands for 0.
    pub(crate) zero: u8,
    /// For each channel, up to whole blocks.
    pub(crate) factors: AlignedBuffer,
}

impl Conversion {
    /// Converts the rows of a region.
    pub(crate) fn run(&self, isa: Isa, x: View, y: ViewMut) {
        isa.run(Rows {
            conversion: self,
            x,
            y,
        });
    }
}

impl ByteScale {
    /// The factors of a block of channels.
    #[inline(always)]
    fn factors<S: Simd>(&self, simd: S, block: usize) -> S::Vector {
        simd.load_slice(&self.factors[block * LANES..])
    }
}

struct Rows<'a> {
    conversion: &'a Conversion,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Region {
            blocks,
            rows,
            columns,
        } = self.y.region().clone();
        for block in blocks {
            for row in rows.clone() {
                match self.conversion {
                    Conversion::ToBytes(scale) => {
                        let factors = scale.factors(simd, block);
                        for (y, x) in self.y.bytes(block, row).iter_mut().zip(self.x.row(block, row)) {
                            store_nearest(simd, y, simd.load(x), scale.zero, factors);
                        }
                    }
                    Conversion::FromBytes(scale) => {
                        let steps = scale.factors(simd, block);
                        for (y, x) in self.y.row(block, row).iter_mut().zip(self.x.bytes(block, row)) {
                            simd.store(y, numbers(simd, x, scale.zero, steps));
                        }
                    }
                    Conversion::ToBf16 => {
                        let mut y = self.y.numbers(block, row, columns.clone());
                        for (pixel, x) in self.x.row(block, row).iter().enumerate() {
                            y.store(simd, pixel, simd.load(x));
                        }
                    }
                    Conversion::FromBf16 => {
                        for (y, x) in self.y.row(block, row).iter_mut().zip(self.x.bf16(block, row)) {
                            simd.store(y, simd.load_bf16(x));
                        }
                    }
                }
            }
        }
    }
}
