//! Weights as small integers with a step for each output channel.

use super::weights::terms_length;
use crate::{
    memory::Packed,
    simd::{LANES, LARGEST_PAIR, LARGEST_WEIGHT},
};

/// Packed weights of bytes with what they stand for: behind the weights a step for each output channel, the sum of the
/// channel's integers, and what results lack in the mean as the integers are not quite the weights.
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
    /// Each as `f32`, integers up to this.
    Numbers(f64),
}

/// A weight as it is multiplied with bytes, and the byte's mean less the one that stands for 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) weight: f64,
    pub(super) mean: f64,
}

impl ByteWeights {
    /// Length of packed weights: `words` for each output channel.
    pub(super) fn length(outputs: usize, words: usize) -> usize {
        terms_length(outputs, words) + 3 * outputs.next_multiple_of(LANES)
    }

    /// What [`pack`] has written.
    pub(super) fn new(packed: Packed, outputs: usize, words: usize) -> Self {
        Self {
            packed,
            outputs: outputs.next_multiple_of(LANES),
            weights: terms_length(outputs, words),
        }
    }

    /// A weight of an output channel that is kept as [`Kept::Numbers`].
    pub(super) fn number(&self, output: usize, term: usize) -> f32 {
        let terms = self.weights / self.outputs;
        self.packed[(output / LANES * terms + term) * LANES + output % LANES]
    }

    /// What one more stands for in the weights of an output channel.
    pub(super) fn step(&self, output: usize) -> f64 {
        f64::from(self.packed[self.weights + output])
    }

    /// The sum of an output channel's weights, as integers.
    pub(super) fn sum(&self, output: usize) -> f64 {
        f64::from(self.packed[self.weights + self.outputs + output])
    }

    /// What an output channel's results lack in the mean.
    pub(super) fn lacking(&self, output: usize) -> f64 {
        f64::from(self.packed[self.weights + 2 * self.outputs + output])
    }
}

/// Packs weights as `[output blocks][words][16]`, each word one weight or, of `terms`, four: `term(output, index)`, or 0
/// where there is none.
pub(super) fn pack(
    packed: &mut [f32],
    outputs: usize,
    words: &[[Option<usize>; 4]],
    kept: Kept,
    term: impl Fn(usize, usize) -> Term,
) {
    let weights = terms_length(outputs, words.len());
    let padded = outputs.next_multiple_of(LANES);
    for output in 0..outputs {
        let weight = |index: Option<usize>| index.map_or(0.0, |index| term(output, index).weight);
        let exact = words
            .iter()
            .map(|word| step_of(word.map(weight), kept))
            .fold(0.0, f64::max);
        // Rounded first: what is multiplied with the sums later is this number.
        let step = f64::from(exact as f32).max(1e-30);
        let integer = |index: usize| (term(output, index).weight / step).round();
        let (mut sum, mut lacking) = (0.0, 0.0);
        for &index in words.iter().flatten().flatten() {
            let Term { weight, mean } = term(output, index);
            sum += integer(index);
            lacking += (weight - integer(index) * step) * mean;
        }
        for (place, value) in [step, sum, lacking].into_iter().enumerate() {
            packed[weights + place * padded + output] = value as f32;
        }
        let block = (output / LANES) * words.len();
        for (index, word) in words.iter().enumerate() {
            let at = (block + index) * LANES + output % LANES;
            packed[at] = match kept {
                Kept::Words => {
                    let bytes = word.map(|index| index.map_or(0.0, integer) as i8 as u8);
                    f32::from_bits(u32::from_ne_bytes(bytes))
                }
                Kept::Numbers(_) => word[0].map_or(0.0, integer) as f32,
            };
        }
    }
}

/// The smallest step with which a word's weights, and the sums of pairs that [`LARGEST_PAIR`] is about, are small enough.
fn step_of(word: [f64; 4], kept: Kept) -> f64 {
    if let Kept::Numbers(largest) = kept {
        return word[0].abs() / largest;
    }
    // Each of a pair may be rounded up by half.
    let most = f64::from(LARGEST_PAIR) - 1.0;
    let single = word.map(f64::abs).into_iter().fold(0.0, f64::max) / f64::from(LARGEST_WEIGHT);
    let pairs = [[word[0], word[1]], [word[2], word[3]]].map(|pair| {
        let sum = |sign: f64| pair.iter().map(|weight| (weight * sign).max(0.0)).sum::<f64>();
        sum(1.0).max(sum(-1.0)) / most
    });
    single.max(pairs[0]).max(pairs[1])
}
