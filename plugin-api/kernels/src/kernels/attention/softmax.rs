//! From scores to weights, and from their sums to results.

use super::{
    HeadAttention, QUERIES,
    arithmetic::{Arithmetic, Features},
};
use crate::{
    memory::ViewMut,
    simd::{LANES, Simd, exp},
};

/// Makes weights of the scores of `count` queries from the query `first` on, `e^(scale * (score - largest))`, and returns the
/// sums of each; with a bias, `e^(scale * score + bias - largest)`.
#[inline(always)]
pub(super) fn softmax<A: Arithmetic>(
    arithmetic: A,
    layer: &HeadAttention,
    (bias, first, count): (Option<&[f32]>, usize, usize),
    scores: &mut [f32],
    narrow: &mut [f32],
) -> [f32; QUERIES] {
    let simd = arithmetic.float();
    let scores = scores.as_chunks_mut::<LANES>().0;
    let mut sums = [0.0; QUERIES];
    for (query, sum) in sums.iter_mut().enumerate().take(count) {
        let seen = if layer.causal {
            first + query + 1
        } else {
            layer.keys
        };
        let blocks = seen.div_ceil(LANES);
        let mut factor = layer.scale;
        if let Some(bias) = bias {
            let bias = bias.as_chunks::<LANES>().0;
            let bias = &bias[(first + query) * blocks..][..blocks];
            let scale = simd.splat(layer.scale);
            for (block, bias) in bias.iter().enumerate() {
                let score = &mut scores[block * count + query];
                let sum = simd.add(simd.mul(simd.load(score), scale), simd.load(bias));
                simd.store(score, sum);
            }
            factor = 1.0;
        }
        // Keys that are not there, or not seen, have no weight.
        for key in seen..layer.keys.next_multiple_of(LANES) {
            scores[key / LANES * count + query][key % LANES] = f32::NEG_INFINITY;
        }
        let mut largest = simd.splat(f32::NEG_INFINITY);
        for block in 0..blocks {
            largest = simd.max(largest, simd.load(&scores[block * count + query]));
        }
        let mut lanes = [0.0; LANES];
        simd.store(&mut lanes, largest);
        let largest = simd.splat(lanes.into_iter().fold(f32::NEG_INFINITY, f32::max));
        let scale = simd.splat(factor);
        let mut total = simd.splat(0.0);
        for block in 0..blocks {
            let index = block * count + query;
            let score = &mut scores[index];
            let value = exp(simd, simd.mul(simd.sub(simd.load(score), largest), scale));
            total = simd.add(total, value);
            arithmetic.store_weights(score, narrow, index, value);
        }
        for block in blocks..layer.keys.div_ceil(LANES) {
            let index = block * count + query;
            arithmetic.store_weights(&mut scores[index], narrow, index, simd.splat(0.0));
        }
        simd.store(&mut lanes, total);
        *sum = lanes.iter().sum();
    }
    sums
}

/// Stores the results of some queries, each divided by the sum of its weights.
#[inline(always)]
pub(super) fn divide<S: Simd>(
    simd: S,
    y: &mut ViewMut,
    features: Features,
    first: usize,
    results: &[f32],
    sums: &[f32],
) {
    let results = results.as_chunks::<LANES>().0;
    for block in 0..features.count.div_ceil(LANES) {
        let from = &results[block * sums.len()..][..sums.len()];
        let start = features.first + block * LANES;
        let inside = LANES.min(features.count - block * LANES);
        if start.is_multiple_of(LANES) && inside == LANES {
            let mut target = y.numbers(start / LANES, 0, first..first + sums.len());
            for (at, (from, sum)) in from.iter().zip(sums).enumerate() {
                let value = simd.mul(simd.load(from), simd.splat(1.0 / sum));
                target.store(simd, at, value);
            }
            continue;
        }
        for lane in 0..inside {
            let channel = start + lane;
            let target = &mut y.row(channel / LANES, 0)[first..first + sums.len()];
            for ((to, from), sum) in target.iter_mut().zip(from).zip(sums) {
                to[channel % LANES] = from[lane] / sum;
            }
        }
    }
}
