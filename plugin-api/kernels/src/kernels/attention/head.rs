//! The steps of a head, whatever is multiplied.

use super::{
    HeadAttention, QUERIES, Window,
    arithmetic::{Arithmetic, Features},
    softmax::{divide, softmax},
};
use crate::{
    kernels::tile::{Ahead, Tile, TilePointers, WORD_BIAS, tile_pixels},
    memory::{View, ViewMut},
    simd::LANES,
};

/// One head of one window of one image.
pub(super) struct Head<'a, 'y> {
    pub(super) layer: &'a HeadAttention,
    pub(super) head: usize,
    pub(super) window: Window<'a>,
    /// Queries, keys and values.
    pub(super) inputs: [View<'a>; 3],
    pub(super) y: &'a mut ViewMut<'y>,
    pub(super) scratch: &'a mut [f32],
}

/// Computes a head, of which `layer` says how much memory it takes.
#[inline(always)]
pub(super) fn compute<A: Arithmetic>(arithmetic: A, head: Head) {
    let layer = *head.layer;
    let [query_part, key_part, value_part, score_part, narrow_part, _] = layer.parts();
    let (queries, rest) = head.scratch.split_at_mut(query_part);
    let (keys, rest) = rest.split_at_mut(key_part);
    let (values, rest) = rest.split_at_mut(value_part);
    let (scores, rest) = rest.split_at_mut(score_part);
    let (narrow, results) = rest.split_at_mut(narrow_part);
    let [query_view, key_view, value_view] = head.inputs;
    let (first_query, first_key) = (head.window.index * layer.queries, head.window.index * layer.keys);
    let key_range = first_key..first_key + layer.keys;
    let features = Features {
        first: head.head * layer.features,
        count: layer.features,
    };
    let value_features = Features {
        first: head.head * layer.value_features,
        count: layer.value_features,
    };
    arithmetic.pack_keys(&key_view, features, key_range.clone(), keys);
    arithmetic.pack_values(&value_view, value_features, key_range, values);
    let mut first = 0;
    while first < layer.queries {
        let count = QUERIES.min(layer.queries - first);
        let positions = first_query + first..first_query + first + count;
        arithmetic.pack(&query_view, features, positions, queries);
        let products = Product {
            positions: count,
            pixel: layer.pixel(),
            terms: layer.terms(layer.features),
            outputs: layer.keys,
        };
        products.multiply(arithmetic, queries, keys, scores);
        let sums = softmax(
            arithmetic,
            &layer,
            (head.window.bias, first, count),
            scores,
            narrow,
        );
        let products = Product {
            terms: layer.terms(layer.keys),
            outputs: layer.value_features,
            ..products
        };
        products.multiply(arithmetic, arithmetic.weights(scores, narrow), values, results);
        divide(
            arithmetic.float(),
            head.y,
            value_features,
            first_query + first,
            results,
            &sums[..count],
        );
        first += count;
    }
}

/// `y[outputs][positions] = sum over terms of x[terms][positions] * w[outputs][terms]`, all in blocks of 16.
#[derive(Clone, Copy, Debug)]
struct Product {
    positions: usize,
    /// `f32` that 16 values of `x` have the place of.
    pixel: usize,
    terms: usize,
    outputs: usize,
}

impl Product {
    #[inline(always)]
    fn multiply<A: Arithmetic>(self, arithmetic: A, x: &[f32], w: &[f32], y: &mut [f32]) {
        let Self {
            positions,
            pixel,
            terms,
            outputs,
        } = self;
        let (blocks, y_blocks) = (terms.div_ceil(pixel), outputs.div_ceil(LANES));
        assert!(x.len() >= blocks * positions * pixel);
        assert!(w.len() >= y_blocks * terms * LANES);
        assert!(y.len() >= y_blocks * positions * LANES);
        let sum = Tile {
            blocks,
            rows: 1,
            columns: 1,
            channels: pixel,
            last_channels: terms - (blocks - 1) * pixel,
            x_block: positions * pixel,
            x_row: 0,
            x_column: 0,
            x_step: pixel,
            w_block: terms * LANES,
            ahead: Ahead::NONE,
            y_block: positions * LANES,
            y_step: LANES,
            r_block: 0,
            slope: 1.0,
            maximum: f32::INFINITY,
            end: A::END,
        };
        let bias = match A::END {
            Some(_) => SUMS_AS_THEY_ARE.as_ptr(),
            None => std::ptr::null(),
        };
        let mut block = 0;
        while block < y_blocks {
            let pair = y_blocks - block >= 2 && tile_pixels(arithmetic.vectors())[1] > 0;
            let group = if pair { 2 } else { 1 };
            let tiles = arithmetic.tiles(group, positions);
            let mut at = 0;
            for index in 0..tiles.cut.tiles() {
                let pixels = tiles.cut.pixels(index);
                // SAFETY: the assertions above; the bias is that of a pair.
                unsafe {
                    let pointers = TilePointers {
                        x: x.as_ptr().add(at * pixel),
                        w: w.as_ptr().add(block * terms * LANES),
                        bias,
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
}

/// The bias of two blocks of sums of words that stay as they are: factors of 1, and nothing is added.
static SUMS_AS_THEY_ARE: [f32; 2 * WORD_BIAS] = {
    let mut bias = [0.0; 2 * WORD_BIAS];
    let mut at = 0;
    while at < bias.len() {
        if at % WORD_BIAS < LANES {
            bias[at] = 1.0;
        }
        at += 1;
    }
    bias
};
