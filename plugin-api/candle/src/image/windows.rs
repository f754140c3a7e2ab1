//! What each pixel of a resized line is made of, and the sums.

use super::filter::Filter;
use std::{iter, ops::Range};

/// The fractional bits of a weight; 8 more for the byte, and 2 so that overshooting sums fit into 32 bits.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The bytes of a pixel.
pub(super) const CHANNELS: usize = 3;

/// So many bytes are summed up side by side.
pub(super) const LANES: usize = 16;

/// Weighted sums of bytes, rounded to bytes; filters that overshoot are cut off at both ends. On its own, because what is
/// compiled into its callers does not stay in registers.
#[inline(never)]
pub(super) fn weighted_sums<'a, const N: usize>(
    inputs: impl Iterator<Item = &'a [[u8; LANES]; N]>,
    weights: &[i32],
) -> [[u8; LANES]; N] {
    let mut sums = [[1i32 << (PRECISION_BITS - 1); LANES]; N];
    for (input, &weight) in inputs.zip(weights) {
        for (sums, input) in sums.iter_mut().zip(input) {
            for (sum, &byte) in sums.iter_mut().zip(input) {
                *sum += i32::from(byte) * weight;
            }
        }
    }
    let mut bytes = [[0; LANES]; N];
    for (bytes, sums) in bytes.iter_mut().zip(&sums) {
        for (byte, &sum) in bytes.iter_mut().zip(sums) {
            *byte = (sum >> PRECISION_BITS).clamp(0, 255) as u8;
        }
    }
    bytes
}

/// What each of some places of a line is made of: as many places of another line for each, and their weights.
pub(super) struct Windows {
    firsts: Vec<usize>,
    weights: Vec<i32>,
    /// Weights for each place.
    length: usize,
}

impl Windows {
    /// How the `wanted` ones of `to` places are made of `from` places. A line that keeps its length stays as it is.
    pub(super) fn new(from: usize, to: usize, wanted: Range<usize>, filter: Filter) -> Self {
        let filter = if from == to { Filter::Nearest } else { filter };
        let own: Vec<(usize, Vec<i32>)> = wanted.map(|place| window(from, to, place, filter)).collect();
        let length = own.iter().map(|(_, weights)| weights.len()).max().unwrap_or(1);
        let (mut firsts, mut weights) = (Vec::with_capacity(own.len()), Vec::new());
        for (first, own) in own {
            // Where there are fewer, the others weigh nothing.
            let begin = first.min(from - length);
            firsts.push(begin);
            weights.extend(iter::repeat_n(0, first - begin));
            weights.extend(own);
            weights.resize(firsts.len() * length, 0);
        }
        Self {
            firsts,
            weights,
            length,
        }
    }

    /// How many places are made.
    pub(super) fn count(&self) -> usize {
        self.firsts.len()
    }

    /// Of how many places each is made.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Of each place, the first one that it is made of, and the weights of that and the following ones.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.firsts
            .iter()
            .copied()
            .zip(self.weights.chunks_exact(self.length))
    }

    /// The places that any is made of.
    pub(super) fn reach(&self) -> Range<usize> {
        let [first, last] =
            [self.firsts.first(), self.firsts.last()].map(|place| place.copied().unwrap_or(0));
        first..last + self.length
    }
}

/// What one of `to` output pixels is made of, out of `from` input pixels: the first of these, and weights.
fn window(from: usize, to: usize, place: usize, filter: Filter) -> (usize, Vec<i32>) {
    let scale = from as f64 / to as f64;
    let center = (place as f64 + 0.5) * scale;
    if filter == Filter::Nearest {
        return ((center as usize).min(from - 1), vec![1 << PRECISION_BITS]);
    }
    let widening = scale.max(1.0);
    let (support, narrowing) = (filter.support() * widening, 1.0 / widening);
    // Conversion to an integer cuts off the fraction, as it does in C.
    let first = (center - support + 0.5).max(0.0) as usize;
    let end = ((center + support + 0.5) as usize).min(from);
    let weights: Vec<f64> = (first..end)
        .map(|input| filter.weight((input as f64 - center + 0.5) * narrowing))
        .collect();
    let sum: f64 = weights.iter().sum();
    let fixed = |weight: f64| {
        let weight = if sum == 0.0 { weight } else { weight / sum };
        let scaled = weight * f64::from(1u32 << PRECISION_BITS);
        (scaled + 0.5f64.copysign(scaled)) as i32
    };
    (first, weights.into_iter().map(fixed).collect())
}
