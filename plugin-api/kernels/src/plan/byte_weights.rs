//! Weights as small integers with a step for each output channel.

use super::weights::terms_length;
use crate::{
    memory::Packed,
    simd::{LANES, LARGEST_WEIGHT},
};

/// Packed weights of bytes with what they stand for: behind the weights a step for each output channel, and the sum of
/// the channel's integers.
#[derive(Debug)]
pub(super) struct ByteWeights {
    pub(super) packed: Packed,
    outputs: usize,
    weights: usize,
}

/// How weights are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kept {
    /// Four of each output channel in a word.
    Words,
    /// Each as `f32`.
    Numbers,
}

impl ByteWeights {
    /// Length of packed weights: `words` for each output channel.
    pub(super) fn length(outputs: usize, words: usize) -> usize {
        terms_length(outputs, words) + 2 * outputs.next_multiple_of(LANES)
    }

    /// What [`pack`] has written.
    pub(super) fn new(packed: Packed, outputs: usize, words: usize) -> Self {
        Self {
            packed,
            outputs: outputs.next_multiple_of(LANES),
            weights: terms_length(outputs, words),
        }
    }

    /// What one more stands for in the weights of an output channel.
    pub(super) fn step(&self, output: usize) -> f64 {
        f64::from(self.packed[self.weights + output])
    }

    /// The sum of an output channel's weights, as integers.
    pub(super) fn sum(&self, output: usize) -> f64 {
        f64::from(self.packed[self.weights + self.outputs + output])
    }
}

/// Packs weights as `[output blocks][words][16]`, each word one weight or, of `terms`, four: `value(output, term)`, or 0
/// where there is no term.
pub(super) fn pack(
    packed: &mut [f32],
    outputs: usize,
    words: &[[Option<usize>; 4]],
    kept: Kept,
    value: impl Fn(usize, usize) -> f64,
) {
    let weights = terms_length(outputs, words.len());
    let padded = outputs.next_multiple_of(LANES);
    for output in 0..outputs {
        let terms = || words.iter().flatten().flatten();
        let largest = terms().fold(0.0f64, |largest, &term| largest.max(value(output, term).abs()));
        // Rounded first: what is multiplied with the sums later is this number.
        let step = f64::from((largest / f64::from(LARGEST_WEIGHT)) as f32).max(1e-30);
        let integer = |term: usize| {
            let most = f64::from(LARGEST_WEIGHT);
            (value(output, term) / step).round().clamp(-most, most) as i8
        };
        let sum: i64 = terms().map(|&term| i64::from(integer(term))).sum();
        packed[weights + output] = step as f32;
        packed[weights + padded + output] = sum as f32;
        let block = (output / LANES) * words.len();
        for (index, word) in words.iter().enumerate() {
            let at = (block + index) * LANES + output % LANES;
            packed[at] = match kept {
                Kept::Words => {
                    let bytes = word.map(|term| term.map_or(0, &integer) as u8);
                    f32::from_bits(u32::from_ne_bytes(bytes))
                }
                Kept::Numbers => word[0].map_or(0.0, |term| f32::from(integer(term))),
            };
        }
    }
}
