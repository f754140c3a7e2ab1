//! Scaled dot-product attention of one head: two multiplications by the micro-kernel with a softmax between
//! them, a few queries at a time so that their scores stay in the first cache.

use super::tile::{Ahead, RowTiles, Tile, TilePointers, tile_pixels};
use crate::{
    graph::Weight,
    memory::{View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd, exp},
};

/// Attention ready to run on one layout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadAttention {
    features: usize,
    value_features: usize,
    queries: usize,
    keys: usize,
    scale: f32,
    causal: bool,
}

/// How much a head reads and writes; none is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadSizes {
    /// Features of a head of the queries and keys.
    pub(crate) features: usize,
    /// Features of a head of the values.
    pub(crate) value_features: usize,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
}

/// A part of the sequences, of as many queries and keys as the layer has, and what is added to its scores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// Which one.
    pub(crate) index: usize,
    /// `[queries][keys, up to whole blocks of 16]` of the head.
    pub(crate) bias: Option<&'a [f32]>,
}

/// What is added to scores: `[1 or windows][heads][queries][keys, up to whole blocks of 16]`.
#[derive(Debug)]
pub(crate) struct AttentionBias {
    values: Vec<f32>,
    /// Length of a window's.
    window: usize,
}

impl AttentionBias {
    /// Of a weight `[1 or windows, heads, queries, keys]`.
    pub(crate) fn new(weight: &Weight) -> Self {
        let (windows, keys) = (weight.dims()[0], weight.dims()[3]);
        let row = keys.next_multiple_of(LANES);
        let rows = weight.data().len() / keys;
        let mut values = vec![0.0; rows * row];
        for (to, from) in values.chunks_exact_mut(row).zip(weight.data().chunks_exact(keys)) {
            to[..keys].copy_from_slice(from);
        }
        Self {
            window: values.len() / windows,
            values,
        }
    }

    /// The part of a head of a window.
    pub(crate) fn of(&self, window: usize, head: usize, layer: &HeadAttention) -> &[f32] {
        let length = layer.queries * layer.keys.next_multiple_of(LANES);
        &self.values[window * self.window % self.values.len() + head * length..][..length]
    }
}

/// Queries whose scores are computed together.
const QUERIES: usize = 28;

impl HeadAttention {
    /// Products are multiplied with `scale`; a query sees the keys up to its own place only where it is `causal`.
    ///
    /// # Panics
    /// Where a size is 0, or queries that are `causal` are more than the keys.
    pub(crate) fn new(sizes: HeadSizes, scale: f32, causal: bool) -> Self {
        let HeadSizes {
            features,
            value_features,
            queries,
            keys,
        } = sizes;
        assert!(features > 0 && value_features > 0 && queries > 0 && keys > 0);
        assert!(!causal || queries <= keys);
        Self {
            features,
            value_features,
            queries,
            keys,
            scale,
            causal,
        }
    }

    /// Features of a head of the values.
    pub(crate) fn value_features(&self) -> usize {
        self.value_features
    }

    /// Length of the scratch memory that [`run`](Self::run) needs.
    pub(crate) fn scratch(&self) -> usize {
        self.parts().into_iter().sum()
    }

    /// Lengths of queries, keys, values, scores and results in the scratch memory.
    fn parts(&self) -> [usize; 5] {
        let blocks = |count: usize| count.div_ceil(LANES);
        [
            blocks(self.features) * QUERIES * LANES,
            blocks(self.keys) * self.features * LANES,
            blocks(self.value_features) * self.keys * LANES,
            blocks(self.keys) * QUERIES * LANES,
            blocks(self.value_features) * QUERIES * LANES,
        ]
    }

    /// Computes one head of one window of one image, whose results the region of `y` has.
    pub(crate) fn run(
        &self,
        isa: Isa,
        head: usize,
        window: Window,
        inputs: [View; 3],
        y: &mut ViewMut,
        scratch: &mut [f32],
    ) {
        assert!(scratch.len() >= self.scratch());
        isa.run(Head {
            layer: self,
            head,
            window,
            inputs,
            y,
            scratch,
        });
    }
}

struct Head<'a, 'y> {
    layer: &'a HeadAttention,
    head: usize,
    window: Window<'a>,
    inputs: [View<'a>; 3],
    y: &'a mut ViewMut<'y>,
    scratch: &'a mut [f32],
}

impl Kernel for Head<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layer = *self.layer;
        let [query_part, key_part, value_part, score_part, _] = layer.parts();
        let (queries, rest) = self.scratch.split_at_mut(query_part);
        let (keys, rest) = rest.split_at_mut(key_part);
        let (values, rest) = rest.split_at_mut(value_part);
        let (scores, results) = rest.split_at_mut(score_part);
        let [query_view, key_view, value_view] = self.inputs;
        let (first_query, first_key) = (self.window.index * layer.queries, self.window.index * layer.keys);
        pack_keys(&key_view, self.head * layer.features, first_key, &layer, keys);
        pack_positions(
            &value_view,
            self.head * layer.value_features,
            layer.value_features,
            first_key..first_key + layer.keys,
            values,
        );
        let mut first = 0;
        while first < layer.queries {
            let count = QUERIES.min(layer.queries - first);
            let positions = first_query + first..first_query + first + count;
            pack_positions(
                &query_view,
                self.head * layer.features,
                layer.features,
                positions,
                queries,
            );
            multiply(simd, queries, count, layer.features, keys, layer.keys, scores);
            let sums = softmax(simd, &layer, self.window.bias, first, count, scores);
            multiply(
                simd,
                scores,
                count,
                layer.keys,
                values,
                layer.value_features,
                results,
            );
            unpack(
                simd,
                self.y,
                self.head * layer.value_features,
                &layer,
                first_query + first,
                results,
                &sums[..count],
            );
            first += count;
        }
    }
}

/// `[blocks of features][positions][16]`, from any first channel.
#[inline(always)]
fn pack_positions(
    x: &View,
    first: usize,
    features: usize,
    positions: std::ops::Range<usize>,
    to: &mut [f32],
) {
    let to = to.as_chunks_mut::<LANES>().0;
    for block in 0..features.div_ceil(LANES) {
        let to = &mut to[block * positions.len()..][..positions.len()];
        let channel = first + block * LANES;
        if channel.is_multiple_of(LANES) {
            to.copy_from_slice(&x.row(channel / LANES, 0)[positions.clone()]);
            continue;
        }
        for lane in 0..LANES.min(features - block * LANES) {
            let channel = channel + lane;
            let source = &x.row(channel / LANES, 0)[positions.clone()];
            to.iter_mut()
                .zip(source)
                .for_each(|(to, from)| to[lane] = from[channel % LANES]);
        }
    }
}

/// Keys as weights: `[blocks of keys][features][16]`; zeros beyond the last key.
#[inline(always)]
fn pack_keys(x: &View, first: usize, first_key: usize, layer: &HeadAttention, to: &mut [f32]) {
    let to = to.as_chunks_mut::<LANES>().0;
    for block in 0..layer.keys.div_ceil(LANES) {
        let inside = LANES.min(layer.keys - block * LANES);
        let to = &mut to[block * layer.features..][..layer.features];
        for (feature, to) in to.iter_mut().enumerate() {
            let channel = first + feature;
            let source = &x.row(channel / LANES, 0)[first_key + block * LANES..][..inside];
            *to = [0.0; LANES];
            to.iter_mut()
                .zip(source)
                .for_each(|(to, from)| *to = from[channel % LANES]);
        }
    }
}

/// `y[outputs][positions] = sum over inputs of x[inputs][positions] * w[outputs][inputs]`, all in blocks of 16.
#[inline(always)]
fn multiply<S: Simd>(
    simd: S,
    x: &[f32],
    positions: usize,
    inputs: usize,
    w: &[f32],
    outputs: usize,
    y: &mut [f32],
) {
    let (blocks, y_blocks) = (inputs.div_ceil(LANES), outputs.div_ceil(LANES));
    assert!(x.len() >= blocks * positions * LANES);
    assert!(w.len() >= y_blocks * inputs * LANES);
    assert!(y.len() >= y_blocks * positions * LANES);
    let sum = Tile {
        blocks,
        rows: 1,
        columns: 1,
        channels: LANES,
        last_channels: inputs - (blocks - 1) * LANES,
        x_block: positions * LANES,
        x_row: 0,
        x_column: 0,
        x_step: LANES,
        w_block: inputs * LANES,
        ahead: Ahead::NONE,
        y_block: positions * LANES,
        y_step: LANES,
        r_block: 0,
        slope: 1.0,
        maximum: f32::INFINITY,
        end: None,
    };
    let mut block = 0;
    while block < y_blocks {
        let pair = y_blocks - block >= 2 && tile_pixels(S::VECTORS)[1] > 0;
        let group = if pair { 2 } else { 1 };
        let tiles = RowTiles::new(simd, group, positions, LANES);
        let mut at = 0;
        for index in 0..tiles.cut.tiles() {
            let pixels = tiles.cut.pixels(index);
            // SAFETY: the assertions above.
            unsafe {
                let pointers = TilePointers {
                    x: x.as_ptr().add(at * LANES),
                    w: w.as_ptr().add(block * inputs * LANES),
                    bias: std::ptr::null(),
                    residual: std::ptr::null(),
                    y: y.as_mut_ptr().add((block * positions + at) * LANES),
                    turn: 0,
                };
                tiles.run(pixels, pointers, &sum);
            }
            at += pixels;
        }
        block += group;
    }
}

/// Replaces the scores of some queries with `e^(scale * (score - largest))` and returns the sums of each; with a
/// bias, with `e^(scale * score + bias - largest)`.
#[inline(always)]
fn softmax<S: Simd>(
    simd: S,
    layer: &HeadAttention,
    bias: Option<&[f32]>,
    first: usize,
    count: usize,
    scores: &mut [f32],
) -> [f32; QUERIES] {
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
            let score = &mut scores[block * count + query];
            let value = exp(simd, simd.mul(simd.sub(simd.load(score), largest), scale));
            total = simd.add(total, value);
            simd.store(score, value);
        }
        for block in blocks..layer.keys.div_ceil(LANES) {
            scores[block * count + query] = [0.0; LANES];
        }
        simd.store(&mut lanes, total);
        *sum = lanes.iter().sum();
    }
    sums
}

/// Stores the results of some queries, each divided by the sum of its weights.
#[inline(always)]
fn unpack<S: Simd>(
    simd: S,
    y: &mut ViewMut,
    channel: usize,
    layer: &HeadAttention,
    first: usize,
    results: &[f32],
    sums: &[f32],
) {
    let results = results.as_chunks::<LANES>().0;
    for block in 0..layer.value_features.div_ceil(LANES) {
        let from = &results[block * sums.len()..][..sums.len()];
        let start = channel + block * LANES;
        let inside = LANES.min(layer.value_features - block * LANES);
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
