//! Functions of each element that no other step has as its epilogue.

use crate::{
    graph::Function,
    memory::{View, ViewMut},
    simd::{Isa, Kernel, Simd, exp, sin},
};

/// Writes the function of each element.
pub(crate) fn apply(isa: Isa, function: Function, x: View, y: ViewMut) {
    isa.run(Apply { function, x, y });
}

struct Apply<'a> {
    function: Function,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Apply<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let layout = self.x.layout();
        for block in 0..layout.blocks() {
            for row in 0..layout.height {
                let pixels = self.x.row(block, row).iter();
                for (pixel, target) in pixels.zip(self.y.pixels(block, row, 0..layout.width)) {
                    let value = match self.function {
                        Function::Exp => exp(simd, simd.load(pixel)),
                        Function::Sin => sin(simd, simd.load(pixel)),
                    };
                    simd.store(target, value);
                }
            }
        }
    }
}
