//! Numbers to bytes and back.

use super::requantise::Scale;
use crate::{
    memory::{Region, View, ViewMut},
    simd::{Isa, Kernel, Simd},
};

/// From a value to the same one of another kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Conversion {
    /// Numbers to the bytes that come nearest.
    ToBytes(Scale),
    /// Bytes to the numbers that they stand for.
    ToNumbers(Scale),
}

impl Conversion {
    /// Converts the rows of a region.
    pub(crate) fn run(self, isa: Isa, x: View, y: ViewMut) {
        isa.run(Rows {
            conversion: self,
            x,
            y,
        });
    }
}

struct Rows<'a> {
    conversion: Conversion,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Region { blocks, rows, .. } = self.y.region().clone();
        for block in blocks {
            for row in rows.clone() {
                match self.conversion {
                    Conversion::ToBytes(scale) => {
                        for (y, x) in self.y.bytes(block, row).iter_mut().zip(self.x.row(block, row)) {
                            scale.store(simd, y, simd.load(x));
                        }
                    }
                    Conversion::ToNumbers(scale) => {
                        for (y, x) in self.y.row(block, row).iter_mut().zip(self.x.bytes(block, row)) {
                            simd.store(y, scale.numbers(simd, x));
                        }
                    }
                }
            }
        }
    }
}
