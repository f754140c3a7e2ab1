//! Numbers to their narrow forms and back.

use super::requantise::Narrow;
use crate::{
    memory::{Region, View, ViewMut},
    simd::{Isa, Kernel, Simd},
};

/// From a value to the same one of another kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Conversion {
    /// Numbers to what comes nearest.
    Narrow(Narrow),
    /// A narrow form to the numbers that it stands for.
    Numbers(Narrow),
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
        let Region {
            blocks,
            rows,
            columns,
        } = self.y.region().clone();
        for block in blocks {
            for row in rows.clone() {
                match self.conversion {
                    Conversion::Narrow(Narrow::Bytes(scale)) => {
                        for (y, x) in self.y.bytes(block, row).iter_mut().zip(self.x.row(block, row)) {
                            scale.store(simd, y, simd.load(x));
                        }
                    }
                    Conversion::Numbers(Narrow::Bytes(scale)) => {
                        for (y, x) in self.y.row(block, row).iter_mut().zip(self.x.bytes(block, row)) {
                            simd.store(y, scale.numbers(simd, x));
                        }
                    }
                    Conversion::Narrow(Narrow::Bf16) => {
                        let mut y = self.y.numbers(block, row, columns.clone());
                        for (pixel, x) in self.x.row(block, row).iter().enumerate() {
                            y.store(simd, pixel, simd.load(x));
                        }
                    }
                    Conversion::Numbers(Narrow::Bf16) => {
                        for (y, x) in self.y.row(block, row).iter_mut().zip(self.x.bf16(block, row)) {
                            simd.store(y, simd.load_bf16(x));
                        }
                    }
                }
            }
        }
    }
}
