//! Normalisation of groups of channels over all positions.

use crate::{
    memory::{View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// Writes each of `groups` equal parts of the channels with mean 0 and variance 1, over all positions.
pub(crate) fn group_norm(isa: Isa, groups: usize, epsilon: f32, x: View, y: ViewMut) {
    isa.run(Groups {
        groups,
        epsilon,
        x,
        y,
    });
}

struct Groups<'a> {
    groups: usize,
    epsilon: f32,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Groups<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (blocks, width) = (self.x.layout().blocks(), self.x.layout().width);
        let zeros = vec![[0.0; LANES]; blocks];
        let means = self.of_channels(&self.sums(simd, &zeros, |value, _| value), |mean| mean);
        let squares = self.sums(simd, &means, |value, simd| simd.mul(value, value));
        let epsilon = f64::from(self.epsilon);
        let scales = self.of_channels(&squares, |variance| 1.0 / (variance + epsilon).sqrt());
        for block in 0..blocks {
            let (mean, scale) = (simd.load(&means[block]), simd.load(&scales[block]));
            for row in 0..self.x.layout().height {
                let pixels = self.x.row(block, row).iter();
                for (pixel, target) in pixels.zip(self.y.pixels(block, row, 0..width)) {
                    simd.store(target, simd.mul(simd.sub(simd.load(pixel), mean), scale));
                }
            }
        }
    }
}

impl Groups<'_> {
    /// For each channel the sum of what `term` makes of the differences from `means`. A row is summed in single
    /// precision, the rows in double.
    #[inline(always)]
    fn sums<S: Simd>(
        &self,
        simd: S,
        means: &[[f32; LANES]],
        term: impl Fn(S::Vector, S) -> S::Vector,
    ) -> Vec<[f64; LANES]> {
        let mut sums = vec![[0.0; LANES]; means.len()];
        for (block, (sums, mean)) in sums.iter_mut().zip(means).enumerate() {
            let mean = simd.load(mean);
            for row in 0..self.x.layout().height {
                let mut sum = simd.splat(0.0);
                for pixel in self.x.row(block, row) {
                    sum = simd.add(sum, term(simd.sub(simd.load(pixel), mean), simd));
                }
                let mut lanes = [0.0; LANES];
                simd.store(&mut lanes, sum);
                for (sum, lane) in sums.iter_mut().zip(lanes) {
                    *sum += f64::from(lane);
                }
            }
        }
        sums
    }

    /// What `value` makes of the mean of each group's sums, for each of its channels; 0 for lanes that are no channels.
    fn of_channels(&self, sums: &[[f64; LANES]], value: impl Fn(f64) -> f64) -> Vec<[f32; LANES]> {
        let layout = self.x.layout();
        let size = layout.channels / self.groups;
        let count = (size * layout.height * layout.width) as f64;
        let mut values = vec![[0.0; LANES]; sums.len()];
        for group in 0..self.groups {
            let channels = group * size..(group + 1) * size;
            let sum: f64 = channels
                .clone()
                .map(|channel| sums[channel / LANES][channel % LANES])
                .sum();
            let value = value(sum / count) as f32;
            for channel in channels {
                values[channel / LANES][channel % LANES] = value;
            }
        }
        values
    }
}
