//! Attention with products of `f32`.

use super::{
    arithmetic::{Arithmetic, Features},
    head::{Head, compute},
};
use crate::{
    kernels::tile::{RowTiles, WordEnd},
    memory::View,
    simd::{Isa, Kernel, LANES, Simd},
};
use std::ops::Range;

/// Computes a head.
pub(super) fn run(isa: Isa, head: Head) {
    isa.run(head);
}

impl Kernel for Head<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        compute(Floats(simd), self);
    }
}

#[derive(Clone, Copy)]
struct Floats<S>(S);

impl<S: Simd> Arithmetic for Floats<S> {
    type Float = S;

    const END: Option<WordEnd> = None;

    #[inline(always)]
    fn float(self) -> S {
        self.0
    }

    #[inline(always)]
    fn vectors(self) -> usize {
        S::VECTORS
    }

    #[inline(always)]
    fn tiles(self, blocks: usize, positions: usize) -> RowTiles {
        RowTiles::new(self.0, blocks, positions, LANES)
    }

    #[inline(always)]
    fn pack(self, x: &View, features: Features, positions: Range<usize>, to: &mut [f32]) {
        let to = to.as_chunks_mut::<LANES>().0;
        for block in 0..features.count.div_ceil(LANES) {
            let to = &mut to[block * positions.len()..][..positions.len()];
            let channel = features.first + block * LANES;
            if channel.is_multiple_of(LANES) {
                to.copy_from_slice(&x.row(channel / LANES, 0)[positions.clone()]);
                continue;
            }
            for lane in 0..LANES.min(features.count - block * LANES) {
                let channel = channel + lane;
                let source = &x.row(channel / LANES, 0)[positions.clone()];
                to.iter_mut()
                    .zip(source)
                    .for_each(|(to, from)| to[lane] = from[channel % LANES]);
            }
        }
    }

    #[inline(always)]
    fn pack_keys(self, x: &View, features: Features, keys: Range<usize>, to: &mut [f32]) {
        let to = to.as_chunks_mut::<LANES>().0;
        for block in 0..keys.len().div_ceil(LANES) {
            let inside = LANES.min(keys.len() - block * LANES);
            let to = &mut to[block * features.count..][..features.count];
            for (feature, to) in to.iter_mut().enumerate() {
                let channel = features.first + feature;
                let source = &x.row(channel / LANES, 0)[keys.start + block * LANES..][..inside];
                *to = [0.0; LANES];
                to.iter_mut()
                    .zip(source)
                    .for_each(|(to, from)| *to = from[channel % LANES]);
            }
        }
    }

    #[inline(always)]
    fn pack_values(self, x: &View, features: Features, keys: Range<usize>, to: &mut [f32]) {
        self.pack(x, features, keys, to);
    }

    #[inline(always)]
    fn store_weights(self, score: &mut [f32; LANES], _: &mut [f32], _: usize, weights: S::Vector) {
        self.0.store(score, weights);
    }

    #[inline(always)]
    fn weights<'a>(self, scores: &'a [f32], _: &'a [f32]) -> &'a [f32] {
        scores
    }
}
