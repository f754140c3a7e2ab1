//! How strongly each feature responds over all tokens, beside the other features.

use crate::{
    memory::{View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// Writes the 2-norm of each feature of all tokens, divided by the mean of these norms and `epsilon`.
pub(crate) fn response_norms(isa: Isa, epsilon: f32, x: View, y: ViewMut) {
    isa.run(Response { epsilon, x, y });
}

struct Response<'a> {
    epsilon: f32,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Response<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (blocks, channels) = (self.x.layout().blocks(), self.x.layout().channels);
        let mut total = 0.0;
        for block in 0..blocks {
            let mut sum = simd.splat(0.0);
            for pixel in self.x.row(block, 0) {
                let value = simd.load(pixel);
                sum = simd.mul_add(value, value, sum);
            }
            let norms = &mut self.y.pixels(block, 0, 0..1)[0];
            simd.store(norms, sum);
            norms.iter_mut().for_each(|norm| *norm = norm.sqrt());
            total += norms[..(channels - block * LANES).min(LANES)].iter().sum::<f32>();
        }
        let scale = simd.splat(1.0 / (total / channels as f32 + self.epsilon));
        for block in 0..blocks {
            let norms = &mut self.y.pixels(block, 0, 0..1)[0];
            let scaled = simd.mul(simd.load(norms), scale);
            simd.store(norms, scaled);
        }
    }
}
