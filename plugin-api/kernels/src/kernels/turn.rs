//! Weights turned such that the same term of 16 output channels lies side by side, as the tiles of all kernels read them.

use crate::simd::{Isa, Kernel, LANES, Simd, bf16_of};

/// Rows of terms, one for each of at most 16 output channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    values: &'a [f32],
    terms: usize,
}

impl<'a> Rows<'a> {
    /// Of the output channels of a block, given the weights `[outputs][terms]` of all.
    pub(crate) fn of_block(weights: &'a [f32], terms: usize, block: usize) -> Self {
        let start = block * LANES * terms;
        let end = weights.len().min(start + LANES * terms);
        Self {
            values: &weights[start..end],
            terms,
        }
    }

    /// How many output channels there are.
    pub(crate) fn channels(self) -> usize {
        self.values.len() / self.terms
    }

    /// So many terms from `first` on, of all channels: 16 at most. Zeros stand where there are none.
    #[inline(always)]
    pub(crate) fn load<S: Simd>(self, simd: S, first: usize, count: usize) -> [S::Vector; LANES] {
        let mut rows = [simd.splat(0.0); LANES];
        for (row, values) in rows.iter_mut().zip(self.values.chunks_exact(self.terms)) {
            *row = if count == LANES {
                simd.load_slice(&values[first..first + LANES])
            } else {
                let mut last = [0.0; LANES];
                last[..count].copy_from_slice(&values[first..first + count]);
                simd.load(&last)
            };
        }
        rows
    }
}

/// Turns the weights of a block of output channels, each multiplied with its channel's scale, into `packed`, which is
/// `[terms][16]`: term `i` comes to `places[i]`, or stays where it is.
///
/// # Panics
/// Where there are other numbers of places or of packed values than of terms.
pub(crate) fn turn(
    isa: Isa,
    rows: Rows,
    scales: &[f32; LANES],
    places: Option<&[usize]>,
    packed: &mut [f32],
) {
    assert_eq!(packed.len(), rows.terms * LANES);
    assert!(places.is_none_or(|places| places.len() == rows.terms));
    isa.run(Turn {
        rows,
        scales,
        places,
        packed: packed.as_chunks_mut().0,
    });
}

/// The same in bf16, as words of two: term `i` comes to half `places[i] % 2` of word `places[i] / 2`. `packed` is
/// `[words][16][2]` and zero.
///
/// # Panics
/// Where a place is beyond the end.
pub(crate) fn turn_to_bf16(
    isa: Isa,
    rows: Rows,
    scales: &[f32; LANES],
    places: Option<&[usize]>,
    packed: &mut [f32],
) {
    isa.run(TurnToBf16(Turn {
        rows,
        scales,
        places,
        packed: packed.as_chunks_mut().0,
    }));
}

/// A word of two halves.
#[inline(always)]
pub(crate) fn word_of(pair: [u16; 2]) -> u32 {
    let [first, second] = pair.map(u16::to_ne_bytes);
    u32::from_ne_bytes([first[0], first[1], second[0], second[1]])
}

struct Turn<'a> {
    rows: Rows<'a>,
    scales: &'a [f32; LANES],
    places: Option<&'a [usize]>,
    packed: &'a mut [[f32; LANES]],
}

impl Kernel for Turn<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.each(simd, |packed, place, term| simd.store(&mut packed[place], term));
    }
}

struct TurnToBf16<'a>(Turn<'a>);

impl Kernel for TurnToBf16<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.0.each(simd, |packed, place, term| {
            let mut numbers = [0.0; LANES];
            simd.store(&mut numbers, term);
            // Not the instruction for it, which takes numbers below the normal ones for 0.
            let bits = numbers.map(bf16_of);
            let words = &mut packed[place / 2];
            for (word, bits) in words.iter_mut().zip(bits) {
                let half = if place % 2 == 0 { [bits, 0] } else { [0, bits] };
                *word = f32::from_bits(word.to_bits() | word_of(half));
            }
        });
    }
}

impl Turn<'_> {
    /// Each term of all channels, scaled, and its place.
    #[inline(always)]
    fn each<S: Simd>(self, simd: S, mut write: impl FnMut(&mut [[f32; LANES]], usize, S::Vector)) {
        let scales = simd.load(self.scales);
        for first in (0..self.rows.terms).step_by(LANES) {
            let count = LANES.min(self.rows.terms - first);
            let turned = simd.transpose(self.rows.load(simd, first, count));
            for (offset, &term) in turned[..count].iter().enumerate() {
                let place = match self.places {
                    Some(places) => places[first + offset],
                    None => first + offset,
                };
                write(self.packed, place, simd.mul(term, scales));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_scaled_and_come_to_their_places() {
        for (outputs, terms) in [(16, 16), (5, 7), (40, 33), (33, 48), (16, 1)] {
            let weights: Vec<f32> = (0..outputs * terms)
                .map(|index| index as f32 * 0.37 - 9.0)
                .collect();
            let places: Vec<usize> = (0..terms).rev().collect();
            for (isa, places) in Isa::detected()
                .into_iter()
                .flat_map(|isa| [(isa, None), (isa, Some(&places[..]))])
            {
                for block in 0..outputs.div_ceil(LANES) {
                    let scales = std::array::from_fn(|lane| 1.1 + lane as f32);
                    let mut packed = vec![7.0; terms * LANES];
                    let rows = Rows::of_block(&weights, terms, block);
                    turn(isa, rows, &scales, places, &mut packed);
                    for (index, &found) in packed.iter().enumerate() {
                        let (place, lane) = (index / LANES, index % LANES);
                        let output = block * LANES + lane;
                        let term = places.map_or(place, |places| places[place]);
                        let expected = if output < outputs {
                            (f64::from(weights[output * terms + term]) * f64::from(scales[lane])) as f32
                        } else {
                            0.0
                        };
                        assert_eq!(
                            found.to_bits(),
                            expected.to_bits(),
                            "{} {outputs}x{terms}",
                            isa.name()
                        );
                    }
                }
            }
        }
    }
}
