//! Weights in the order in which the kernels read them; made once for all plans of a network.

use super::{fuse::Layer, threads::Threads};
use crate::{
    graph::{Graph, Op, Weight},
    memory::{AlignedBuffer, Packed, Slab},
    simd::LANES,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
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

type Key = (usize, Option<usize>, Packing);

/// All packed weights of a network. Plans of the same network for other shapes share them.
#[derive(Debug)]
pub(super) struct PackedWeights {
    store: Mutex<Store>,
    /// Those that pack.
    threads: Arc<Threads>,
}

#[derive(Debug, Default)]
struct Store {
    packed: HashMap<Key, Packed>,
    slab: Slab,
}

impl PackedWeights {
    /// None yet; so many threads pack what is asked for.
    pub(super) fn new(threads: Arc<Threads>) -> Self {
        Self {
            store: Mutex::default(),
            threads,
        }
    }

    /// The threads that pack.
    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// The packed weights of a layer, `length` values written by `pack` where no plan has needed them before.
    pub(super) fn get(
        &self,
        layer: &Layer,
        packing: Packing,
        length: usize,
        pack: impl FnOnce(&mut [f32]),
    ) -> Packed {
        let key = (layer.weights, layer.affine, packing);
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let Store { packed, slab } = &mut *store;
        packed
            .entry(key)
            .or_insert_with(|| slab.allocate(length, pack))
            .clone()
    }

    /// Bytes of all packed weights.
    pub(super) fn bytes(&self) -> usize {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store
            .packed
            .values()
            .map(|weights| weights.len() * size_of::<f32>())
            .sum()
    }
}

/// What the weights of each output channel are multiplied with: the folded affine's scale, or 1.
pub(super) fn scale_of(graph: &Graph, layer: &Layer) -> impl Fn(usize) -> f64 + Sync {
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

/// Packs weights as `[output blocks][terms][16]`: `value(output, term)` for each term of the sum.
pub(super) fn pack_terms(
    threads: &Threads,
    packed: &mut [f32],
    outputs: usize,
    terms: usize,
    value: impl Fn(usize, usize) -> f64 + Sync,
) {
    fill_blocks(threads, packed, terms * LANES, |block, packed| {
        let inside = LANES.min(outputs - block * LANES);
        // An output's terms are next to each other as a rule: so many at a time are in one line of the cache.
        for (tile, packed) in packed.chunks_mut(LANES * LANES).enumerate() {
            for lane in 0..inside {
                let output = block * LANES + lane;
                for (term, packed) in packed.chunks_exact_mut(LANES).enumerate() {
                    packed[lane] = value(output, tile * LANES + term) as f32;
                }
            }
        }
    });
}

/// Packs weights as `[output blocks][words][16][2]`, each of 16 bits: `bits(output, term)`, or 0 where there is no term.
pub(super) fn pack_pairs(
    threads: &Threads,
    packed: &mut [f32],
    outputs: usize,
    words: &[[Option<usize>; 2]],
    bits: impl Fn(usize, usize) -> u16 + Sync,
) {
    fill_blocks(threads, packed, words.len() * LANES, |block, packed| {
        let inside = LANES.min(outputs - block * LANES);
        for (word, packed) in words.iter().zip(packed.chunks_exact_mut(LANES)) {
            for (lane, packed) in packed[..inside].iter_mut().enumerate() {
                let pair = word.map(|term| term.map_or(0, |term| bits(block * LANES + lane, term)));
                let [first, second] = pair.map(u16::to_ne_bytes);
                let bytes = [first[0], first[1], second[0], second[1]];
                *packed = f32::from_bits(u32::from_ne_bytes(bytes));
            }
        }
    });
}

/// Blocks of `length` values, each of which `fill(block, values)` writes: on all threads where there is much to write.
pub(super) fn fill_blocks(
    threads: &Threads,
    packed: &mut [f32],
    length: usize,
    fill: impl Fn(usize, &mut [f32]) + Sync,
) {
    /// Fewer values than this are written before other threads have begun.
    const MUCH: usize = 1 << 16;
    let count = packed.len() / length;
    // Blocks that are next to each other are one thread's: two would make the zeros of the same page.
    let together = if packed.len() < MUCH {
        count
    } else {
        count.div_ceil(threads.count())
    };
    let parts = packed.chunks_mut(together.max(1) * length).enumerate();
    let parts = Mutex::new(parts);
    let work = |_: usize| {
        loop {
            let next = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((part, values)) = next else {
                return;
            };
            for (block, values) in values.chunks_exact_mut(length).enumerate() {
                fill(part * together + block, values);
            }
        }
    };
    if together == count || !threads.try_run(&work) {
        work(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_is_filled_once_however_many_threads_there_are() {
        const LENGTH: usize = if cfg!(miri) { 1 << 14 } else { 5000 };
        for threads in [1, 2, 3] {
            let threads = Threads::new(threads);
            for blocks in [1, 2, 5, 23] {
                let mut packed = vec![0.0; blocks * LENGTH];
                fill_blocks(&threads, &mut packed, LENGTH, |block, values| {
                    values.iter_mut().for_each(|value| *value += 1.0 + block as f32);
                });
                for (block, values) in packed.chunks_exact(LENGTH).enumerate() {
                    assert!(values.iter().all(|&value| value == 1.0 + block as f32));
                }
            }
        }
    }
}
