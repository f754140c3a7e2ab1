//! The loops of a tile of words, bytes or bf16: sums, and what becomes of them.

use super::{
    end::{
        Bf16, Bf16AndResidual, Bytes, BytesAndResidual, Floats, FloatsAndResidual, Store, WORD_BIAS, WordEnd,
        WordResult,
    },
    micro_kernel::{TileKernel, each_size, tile_pixels},
    sum::{Tile, TilePointers},
};
use crate::simd::{LANES, Simd, WordCompiled, WordRoutine, WordSet, WordSimd, with_words};

/// The kernel for a tile of so many blocks and pixels, as [`tile_pixels`] has them; `step` is [`Tile::x_step`].
pub(super) fn word_kernel(set: WordSet, blocks: usize, pixels: usize, step: usize) -> TileKernel {
    with_words!(set, simd => sized(simd, blocks, pixels, step))
}

fn sized<W: WordSimd>(simd: W, blocks: usize, pixels: usize, step: usize) -> TileKernel {
    each_size!((blocks, pixels), W => for_step(simd, step))
}

fn for_step<W: WordSimd, const PIXELS: usize, const BLOCKS: usize>(simd: W, step: usize) -> TileKernel {
    // Sizes that a set has no registers for are not compiled.
    if const { PIXELS > tile_pixels(W::VECTORS)[BLOCKS - 1] } {
        unreachable!("rows are cut into tiles within `tile_pixels`")
    }
    let kernel: WordCompiled<WordKernel<PIXELS, BLOCKS, 0>> = match (W::VALUES, step) {
        (4, 4) => simd.compiled::<WordKernel<PIXELS, BLOCKS, 4>>(),
        (2, 8) => simd.compiled::<WordKernel<PIXELS, BLOCKS, 8>>(),
        _ => simd.compiled::<WordKernel<PIXELS, BLOCKS, 0>>(),
    };
    kernel
}

/// The kernel for `PIXELS` pixels and `BLOCKS` blocks; `STEP` is `x_step`, or 0 where it is known at run time only.
struct WordKernel<const PIXELS: usize, const BLOCKS: usize, const STEP: usize>;

impl<const PIXELS: usize, const BLOCKS: usize, const STEP: usize> WordRoutine
    for WordKernel<PIXELS, BLOCKS, STEP>
{
    type Call = TilePointers;
    type Common = Tile;

    /// # Safety
    /// The pointers are valid for the tile, see [`TilePointers`]; the tile has an end for words.
    #[inline(always)]
    unsafe fn run<W: WordSimd>(simd: W, pointers: TilePointers, tile: &Tile) {
        let TilePointers { x, mut w, .. } = pointers;
        let end = tile.end.expect("a tile of words has an end");
        let step = if STEP == 0 { tile.x_step } else { STEP };
        let ahead = tile.ahead.share(pointers.turn);
        let mut sums = [[simd.zero(); BLOCKS]; PIXELS];
        // SAFETY: the loops stay within what the caller promises for `x` and `w`.
        unsafe {
            for block in 0..tile.blocks {
                let words = if block + 1 == tile.blocks {
                    tile.last_channels
                } else {
                    tile.channels
                };
                for row in 0..tile.rows {
                    for column in 0..tile.columns {
                        let x = x.add(block * tile.x_block + row * tile.x_row + column * tile.x_column);
                        for word in 0..words {
                            ahead.each::<1>(word, |later| {
                                for block in 0..BLOCKS {
                                    let at = w.wrapping_add(block * tile.w_block + later);
                                    simd.float().prefetch(at);
                                }
                            });
                            let mut weights = [simd.weights(w); BLOCKS];
                            for (block, weights) in weights.iter_mut().enumerate().skip(1) {
                                *weights = simd.weights(w.add(block * tile.w_block));
                            }
                            for (pixel, sums) in sums.iter_mut().enumerate() {
                                let bits = x.add(pixel * step + word).cast::<u32>().read();
                                let values = simd.word(bits);
                                for (sum, &weights) in sums.iter_mut().zip(&weights) {
                                    *sum = simd.add_products(*sum, values, weights);
                                }
                            }
                            w = w.add(LANES);
                        }
                    }
                }
            }
            let to = (&pointers, tile, &end);
            match end.result {
                WordResult::Floats => store(simd, &sums, to, Floats),
                WordResult::Bytes => store(simd, &sums, to, Bytes),
                WordResult::BytesAndResidual => store(simd, &sums, to, BytesAndResidual),
                WordResult::Bf16 => store(simd, &sums, to, Bf16),
                WordResult::FloatsAndResidual => store(simd, &sums, to, FloatsAndResidual),
                WordResult::Bf16AndResidual => store(simd, &sums, to, Bf16AndResidual),
            }
        }
    }
}

/// Stores the results of a tile.
///
/// # Safety
/// As for the kernel.
#[inline(always)]
unsafe fn store<W: WordSimd, const PIXELS: usize, const BLOCKS: usize>(
    simd: W,
    sums: &[[W::Sums; BLOCKS]; PIXELS],
    (pointers, tile, end): (&TilePointers, &Tile, &WordEnd),
    how: impl Store,
) {
    let float = simd.float();
    let bounds = end.bounds.map(|bound| float.splat(bound));
    // Loops that are not unrolled would keep the sums in memory all along.
    let mut values = [[float.splat(0.0); BLOCKS]; PIXELS];
    for (values, sums) in values.iter_mut().zip(sums) {
        for (value, &sum) in values.iter_mut().zip(sums) {
            *value = simd.numbers(sum);
        }
    }
    for block in 0..BLOCKS {
        // SAFETY: the caller's promise.
        unsafe {
            let bias = pointers.bias.add(block * WORD_BIAS);
            let (factor, summand) = (float.load_at(bias), float.load_at(bias.add(LANES)));
            for (pixel, values) in values.iter().enumerate() {
                let value = float.add(float.mul(values[block], factor), summand);
                let residual = pointers
                    .residual
                    .wrapping_add(block * tile.r_block + pixel * end.r_step);
                let y = pointers.y.add(block * tile.y_block + pixel * tile.y_step);
                how.store(simd, value, bounds, (bias, residual), y);
            }
        }
    }
}
