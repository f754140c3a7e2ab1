//! What is done to the features of each head of each token before attention: unit length, rotary positions.

use crate::{
    graph::{Rotation, Weight},
    memory::{Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// The least that a head is divided by, as in torch's `normalize`.
const LEAST_LENGTH: f32 = 1e-12;

/// Work on heads of equally many features.
#[derive(Debug)]
pub(crate) struct HeadWork {
    /// Features of a head.
    features: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    UnitLength,
    /// The cosines and the sines of each token's positions, `[tokens, features]`.
    Rotate(Weight, Weight),
}

impl HeadWork {
    /// Divides each of `parts` equal parts of the channels by its 2-norm.
    pub(crate) fn unit_length(parts: usize, channels: usize) -> Self {
        Self {
            features: channels / parts,
            kind: Kind::UnitLength,
        }
    }

    /// Rotates pairs of features.
    pub(crate) fn rotation(rotation: &Rotation, channels: usize) -> Self {
        Self {
            features: channels / rotation.heads,
            kind: Kind::Rotate(rotation.cosines.clone(), rotation.sines.clone()),
        }
    }

    /// Works on the tokens of a region, which has all blocks.
    pub(crate) fn run(&self, isa: Isa, x: View, y: ViewMut) {
        isa.run(Tokens { work: self, x, y });
    }
}

struct Tokens<'a> {
    work: &'a HeadWork,
    x: View<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Tokens<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Region { columns, .. } = self.y.region().clone();
        for column in columns {
            match &self.work.kind {
                Kind::UnitLength => self.unit_length(simd, column),
                Kind::Rotate(cosines, sines) => self.rotate(simd, column, cosines.data(), sines.data()),
            }
        }
    }
}

impl Tokens<'_> {
    #[inline(always)]
    fn unit_length<S: Simd>(&mut self, simd: S, column: usize) {
        let (features, channels) = (self.work.features, self.x.layout().channels);
        for head in 0..channels / features {
            let (start, end) = (head * features, (head + 1) * features);
            let mut sum = 0.0;
            for block in start / LANES..end.div_ceil(LANES) {
                let pixel = &self.x.row(block, 0)[column];
                for value in &pixel[lanes(block, start, end)] {
                    sum += value * value;
                }
            }
            let scale = 1.0 / sum.sqrt().max(LEAST_LENGTH);
            for block in start / LANES..end.div_ceil(LANES) {
                let pixel = &self.x.row(block, 0)[column];
                let target = &mut self.y.pixels(block, 0, column..column + 1)[0];
                let lanes = lanes(block, start, end);
                if lanes.len() == LANES {
                    simd.store(target, simd.mul(simd.load(pixel), simd.splat(scale)));
                } else {
                    for lane in lanes {
                        target[lane] = pixel[lane] * scale;
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn rotate<S: Simd>(&mut self, simd: S, column: usize, cosines: &[f32], sines: &[f32]) {
        let (features, channels) = (self.work.features, self.x.layout().channels);
        let half = features / 2;
        let cosines = &cosines[column * features..][..features];
        let sines = &sines[column * features..][..features];
        // Both halves of all heads begin with a block.
        if half.is_multiple_of(LANES) {
            for block in 0..channels / LANES {
                let feature = block * LANES % features;
                let is_first = feature < half;
                let other = if is_first {
                    block + half / LANES
                } else {
                    block - half / LANES
                };
                let sign = simd.splat(if is_first { -1.0 } else { 1.0 });
                let other = simd.mul(simd.load(&self.x.row(other, 0)[column]), sign);
                let turned = simd.mul(other, simd.load_slice(&sines[feature..]));
                let value = simd.load(&self.x.row(block, 0)[column]);
                let value = simd.mul_add(value, simd.load_slice(&cosines[feature..]), turned);
                simd.store(&mut self.y.pixels(block, 0, column..column + 1)[0], value);
            }
            return;
        }
        for channel in 0..channels {
            let feature = channel % features;
            let (other, sign) = if feature < half {
                (channel + half, -1.0)
            } else {
                (channel - half, 1.0)
            };
            let value = |channel: usize| self.x.row(channel / LANES, 0)[column][channel % LANES];
            let turned = value(channel) * cosines[feature] + sign * value(other) * sines[feature];
            self.y.pixels(channel / LANES, 0, column..column + 1)[0][channel % LANES] = turned;
        }
    }
}

/// The lanes of a block that hold channels of `start..end`.
#[inline(always)]
fn lanes(block: usize, start: usize, end: usize) -> std::ops::Range<usize> {
    let first = block * LANES;
    start.saturating_sub(first)..(end - first).min(LANES)
}
