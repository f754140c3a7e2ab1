//! Attention with products of bf16: queries, keys, values and weights are rounded, scores and sums are `f32`.

use super::{
    arithmetic::{Arithmetic, Features},
    head::{Head, compute},
};
use crate::{
    kernels::tile::{RowTiles, WordEnd, WordResult, Words},
    memory::{Element, View},
    simd::{Isa, LANES, Simd, WordRoutine, WordSet, WordSimd, with_words},
};
use std::{marker::PhantomData, ops::Range};

/// Computes a head.
pub(super) fn run<'a, 'y>(isa: Isa, head: Head<'a, 'y>) {
    let set = Words::Bf16.set(isa);
    with_words!(set, simd => {
        let routine = WordSimd::compiled::<OnWords<'a, 'y>>(simd);
        // SAFETY: it asks for nothing.
        unsafe { routine((head, set), &()) }
    });
}

struct OnWords<'a, 'y>(PhantomData<Head<'a, 'y>>);

impl<'a, 'y> WordRoutine for OnWords<'a, 'y> {
    type Call = (Head<'a, 'y>, WordSet);
    type Common = ();

    #[inline(always)]
    unsafe fn run<W: WordSimd>(simd: W, (head, set): Self::Call, (): &()) {
        // For sets of bytes it is not compiled.
        if const { W::VALUES != 2 } {
            unreachable!("attention takes a set of bf16")
        }
        compute(Bf16 { simd, set }, head);
    }
}

#[derive(Clone, Copy)]
struct Bf16<W> {
    simd: W,
    /// The same set, which chooses tiles.
    set: WordSet,
}

/// 16 values.
type Pixel = [u16; LANES];

/// Two values for each of 16 outputs.
type Pairs = [[u16; 2]; LANES];

impl<W: WordSimd> Bf16<W> {
    /// The values of a position.
    #[inline(always)]
    fn read(self, x: &View, block: usize, position: usize) -> Pixel {
        if x.layout().element == Element::Bf16 {
            return x.bf16(block, 0)[position];
        }
        let mut pixel = [0; LANES];
        let value = self.simd.float().load(&x.row(block, 0)[position]);
        self.simd.store_bf16(&mut pixel, value);
        pixel
    }
}

impl<W: WordSimd> Arithmetic for Bf16<W> {
    type Float = W::Float;

    const END: Option<WordEnd> = Some(WordEnd {
        words: Words::Bf16,
        result: WordResult::Floats,
        bounds: [f32::NEG_INFINITY, f32::INFINITY],
        r_step: 0,
    });

    #[inline(always)]
    fn float(self) -> W::Float {
        self.simd.float()
    }

    #[inline(always)]
    fn vectors(self) -> usize {
        W::VECTORS
    }

    #[inline(always)]
    fn tiles(self, blocks: usize, positions: usize) -> RowTiles {
        RowTiles::of_words(self.set, blocks, positions, LANES / 2)
    }

    #[inline(always)]
    fn pack(self, x: &View, features: Features, positions: Range<usize>, to: &mut [f32]) {
        let to = pixels_mut(to);
        for block in 0..features.count / LANES {
            let to = &mut to[block * positions.len()..][..positions.len()];
            for (to, position) in to.iter_mut().zip(positions.clone()) {
                *to = self.read(x, features.first / LANES + block, position);
            }
        }
    }

    #[inline(always)]
    fn pack_keys(self, x: &View, features: Features, keys: Range<usize>, to: &mut [f32]) {
        let to = pairs_mut(to);
        let words = features.count / 2;
        for (block, to) in to
            .chunks_exact_mut(words)
            .take(keys.len().div_ceil(LANES))
            .enumerate()
        {
            for lane in 0..LANES {
                let key = keys.start + block * LANES + lane;
                for feature in 0..features.count / LANES {
                    let pixel = if key < keys.end {
                        self.read(x, features.first / LANES + feature, key)
                    } else {
                        [0; LANES]
                    };
                    let to = &mut to[feature * LANES / 2..][..LANES / 2];
                    for (to, pair) in to.iter_mut().zip(pixel.as_chunks::<2>().0) {
                        to[lane] = *pair;
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn pack_values(self, x: &View, features: Features, keys: Range<usize>, to: &mut [f32]) {
        let to = pairs_mut(to);
        let words = keys.len().div_ceil(2);
        for (block, to) in to
            .chunks_exact_mut(words)
            .take(features.count / LANES)
            .enumerate()
        {
            for (word, to) in to.iter_mut().enumerate() {
                let key = keys.start + 2 * word;
                let first = self.read(x, features.first / LANES + block, key);
                // Beyond the last key there is no weight, and nothing that is not a number.
                let second = if key + 1 < keys.end {
                    self.read(x, features.first / LANES + block, key + 1)
                } else {
                    [0; LANES]
                };
                for ((to, first), second) in to.iter_mut().zip(first).zip(second) {
                    *to = [first, second];
                }
            }
        }
    }

    #[inline(always)]
    fn store_weights(
        self,
        _: &mut [f32; LANES],
        narrow: &mut [f32],
        index: usize,
        weights: <W::Float as Simd>::Vector,
    ) {
        self.simd.store_bf16(&mut pixels_mut(narrow)[index], weights);
    }

    #[inline(always)]
    fn weights<'a>(self, _: &'a [f32], narrow: &'a [f32]) -> &'a [f32] {
        narrow
    }
}

/// Memory for `f32` as memory for twice as many bf16.
#[inline(always)]
fn pixels_mut(memory: &mut [f32]) -> &mut [Pixel] {
    let memory = memory.as_chunks_mut::<{ LANES / 2 }>().0;
    // SAFETY: both are 32 bytes of which any have a meaning, and the second needs less alignment.
    unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast(), memory.len()) }
}

/// The same by pairs.
#[inline(always)]
fn pairs_mut(memory: &mut [f32]) -> &mut [Pairs] {
    let memory = memory.as_chunks_mut::<LANES>().0;
    // SAFETY: both are 64 bytes of which any have a meaning, and the second needs less alignment.
    unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast(), memory.len()) }
}
