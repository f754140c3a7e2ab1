//! Weights in the order in which the kernels read them; made once for all plans of a network.

use super::fuse::Layer;
use crate::{
    graph::{Graph, Op, Weight},
    kernels::turn::{Rows, turn, turn_to_bf16, word_of},
    memory::{AlignedBuffer, Packed, Slab},
    simd::{Isa, LANES},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What the weights of a node are packed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Packing {
    /// `[output blocks][input channels][kernel][16]`, input channels in blocks.
    Direct,
    /// `[output blocks][input channels][kernel][16]`, channel by channel.
    Planar,
    /// As `Direct`, each output block with its own part of the input channels.
    Grouped,
    /// `[blocks][kernel][16]`
    Depthwise,
    /// `[output blocks][36][input channels][16]`
    Winograd,
    /// As `Direct`, for the results of a transposed convolution at one place modulo the stride.
    Phase(usize, usize),
    /// `[output blocks][input channels / 2][kernel][16][2]`, bf16, input channels in blocks.
    Bf16,
    /// `[blocks][words][16][2]`, bf16, see [`RowPairs::words`](crate::kernels::row_pairs::RowPairs::words).
    Bf16Depthwise,
    /// `[output blocks][input channels / 4][kernel][16][4]`, integers for the bytes of this value, and what they stand for.
    Bytes(usize),
    /// As `Depthwise`, integers for the bytes of this value, and what they stand for.
    ByteDepthwise(usize),
    /// As `Bf16Depthwise`, the integers of `ByteDepthwise`.
    ByteDepthwisePairs(usize),
}

/// Writes a block, given what it is made of: `fill(source, block, values)`.
pub(super) trait Fill: Fn(&[f32], usize, &mut [f32]) + Send + Sync {}

impl<F: Fn(&[f32], usize, &mut [f32]) + Send + Sync> Fill for F {}

/// Which packed weights.
pub(super) type Key = (usize, Option<usize>, Packing);

/// All packed weights of a network. Plans of the same network for other shapes share them.
#[derive(Debug, Default)]
pub(super) struct PackedWeights(Mutex<Store>);

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) packed: HashMap<Key, Packed>,
    pub(super) slab: Slab,
}

impl PackedWeights {
    /// What there is, for one plan at a time.
    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of all packed weights.
    pub(super) fn bytes(&self) -> usize {
        let store = self.lock();
        let lengths = store.packed.values().map(|weights| weights.len());
        lengths.sum::<usize>() * size_of::<f32>()
    }
}

/// What the weights of each output channel are multiplied with: the folded affine's scale, or 1.
pub(super) fn scale_of(graph: &Graph, layer: &Layer) -> impl Fn(usize) -> f64 + Send + Sync + use<> {
    let scale: Option<Weight> = match layer.affine.map(|affine| &graph.nodes()[affine].op) {
        Some(Op::Affine { scale, .. }) => Some(scale.clone()),
        _ => None,
    };
    move |channel| {
        scale
            .as_ref()
            .map_or(1.0, |scale| f64::from(scale.data()[channel]))
    }
}

/// `[output blocks][16]`: the bias with the folded affine, zeros beyond the last channel.
pub(super) fn bias_of(graph: &Graph, layer: &Layer, bias: Option<&Weight>, outputs: usize) -> AlignedBuffer {
    let mut packed = AlignedBuffer::zeroed(outputs.next_multiple_of(LANES));
    let affine = layer.affine.map(|affine| &graph.nodes()[affine].op);
    for channel in 0..outputs {
        let bias = bias.map_or(0.0, |bias| bias.data()[channel]);
        packed[channel] = match affine {
            Some(Op::Affine { scale, shift }) => {
                let scaled = f64::from(bias) * f64::from(scale.data()[channel]);
                (scaled + f64::from(shift.data()[channel])) as f32
            }
            _ => bias,
        };
    }
    packed
}

/// One value for each channel as `[blocks][16]`, zeros beyond the last channel.
pub(super) fn per_channel(weight: &Weight) -> AlignedBuffer {
    let mut packed = AlignedBuffer::zeroed(weight.data().len().next_multiple_of(LANES));
    packed[..weight.data().len()].copy_from_slice(weight.data());
    packed
}

/// Length of weights packed as `[output blocks][terms][16]`.
pub(super) fn terms_length(outputs: usize, terms: usize) -> usize {
    outputs.next_multiple_of(LANES) * terms
}

/// Writes blocks of weights packed as `[terms][16]` of `[outputs][terms]`, each output channel multiplied with its scale.
/// Term `i` comes to `places[i]`, or stays where it is.
pub(super) fn turned(
    isa: Isa,
    terms: usize,
    scale: impl Fn(usize) -> f64 + Send + Sync,
    places: Option<Vec<usize>>,
) -> impl Fill {
    move |source: &[f32], block: usize, packed: &mut [f32]| {
        let rows = Rows::of_block(source, terms, block);
        turn(
            isa,
            rows,
            &scales_of(rows, block, &scale),
            places.as_deref(),
            packed,
        );
    }
}

/// The same as `[words][16][2]` in bf16: term `i` comes to half `places[i] % 2` of word `places[i] / 2`.
pub(super) fn turned_to_bf16(
    isa: Isa,
    terms: usize,
    scale: impl Fn(usize) -> f64 + Send + Sync,
    places: Option<Vec<usize>>,
) -> impl Fill {
    move |source: &[f32], block: usize, packed: &mut [f32]| {
        let rows = Rows::of_block(source, terms, block);
        turn_to_bf16(
            isa,
            rows,
            &scales_of(rows, block, &scale),
            places.as_deref(),
            packed,
        );
    }
}

/// The scales of a block's output channels. They are numbers of type `f32`, and the product of two such is the same whether
/// it is rounded from `f64` or at once.
fn scales_of(rows: Rows, block: usize, scale: impl Fn(usize) -> f64) -> [f32; LANES] {
    let mut scales = [1.0; LANES];
    for (lane, value) in scales[..rows.channels()].iter_mut().enumerate() {
        *value = scale(block * LANES + lane) as f32;
    }
    scales
}

/// Writes blocks of weights packed as `[terms][16]`: `value(source, output, term)` for each term of the sum.
pub(super) fn terms_of(
    outputs: usize,
    value: impl Fn(&[f32], usize, usize) -> f64 + Send + Sync,
) -> impl Fill {
    move |source: &[f32], block: usize, packed: &mut [f32]| {
        let inside = LANES.min(outputs - block * LANES);
        // An output's terms are next to each other as a rule: so many at a time are in one line of the cache.
        for (tile, packed) in packed.chunks_mut(LANES * LANES).enumerate() {
            for lane in 0..inside {
                let output = block * LANES + lane;
                for (term, packed) in packed.chunks_exact_mut(LANES).enumerate() {
                    packed[lane] = value(source, output, tile * LANES + term) as f32;
                }
            }
        }
    }
}

/// Packs weights as `[output blocks][words][16][2]`, each of 16 bits: `bits(output, term)`, or 0 where there is no term.
pub(super) fn pack_pairs(
    packed: &mut [f32],
    outputs: usize,
    words: &[[Option<usize>; 2]],
    bits: impl Fn(usize, usize) -> u16,
) {
    for (block, packed) in packed.chunks_exact_mut(words.len() * LANES).enumerate() {
        let inside = LANES.min(outputs - block * LANES);
        for (word, packed) in words.iter().zip(packed.chunks_exact_mut(LANES)) {
            for (lane, packed) in packed[..inside].iter_mut().enumerate() {
                let pair = word.map(|term| term.map_or(0, |term| bits(block * LANES + lane, term)));
                *packed = f32::from_bits(word_of(pair));
            }
        }
    }
}
