//! Numbers to bytes and back.

use super::requantise::{numbers, store_nearest};
use crate::{
    memory::{AlignedBuffer, Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// From a value to the same one of another kind.
#[derive(Debug)]
pub(crate) struct Conversion {
    pub(crate) to: Kind,
    /// The byte that stands for 0.
    pub(crate) zero: u8,
    /// For each channel, up to whole blocks, what one more of a byte stands for, or one by it where numbers become bytes.
    pub(crate) factors: AlignedBuffer,
}

/// What values are converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The bytes that come nearest.
    Bytes,
    /// The numbers that bytes stand for.
    Numbers,
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

struct Rows<'a> {
    conversion: &'a Conversion,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Conversion { to, zero, factors } = self.conversion;
        let Region { blocks, rows, .. } = self.y.region().clone();
        for block in blocks {
            let factors = simd.load_slice(&factors[block * LANES..]);
            for row in rows.clone() {
                match to {
                    Kind::Bytes => {
                        for (y, x) in self.y.bytes(block, row).iter_mut().zip(self.x.row(block, row)) {
                            store_nearest(simd, y, simd.load(x), *zero, factors);
                        }
                    }
                    Kind::Numbers => {
                        for (y, x) in self.y.row(block, row).iter_mut().zip(self.x.bytes(block, row)) {
                            simd.store(y, numbers(simd, x, *zero, factors));
                        }
                    }
                }
            }
        }
    }
}
