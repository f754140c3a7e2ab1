//! The loops of a tile of bytes: exact sums, and what becomes of them.

use super::{
    end::{BYTE_BIAS, ByteEnd, ByteResult, Bytes, BytesAndResidual, Floats, Store},
    micro_kernel::{TileKernel, each_size, tile_pixels},
    sum::{Tile, TilePointers},
};
use crate::simd::{ByteCompiled, ByteRoutine, ByteSet, ByteSimd, LANES, Simd, with_bytes};

/// The kernel for a tile of so many blocks and pixels, as [`tile_pixels`] has them; `step` is [`Tile::x_step`].
pub(super) fn byte_kernel(set: ByteSet, blocks: usize, pixels: usize, step: usize) -> TileKernel {
    with_bytes!(set, simd => sized(simd, blocks, pixels, step))
}

fn sized<B: ByteSimd>(simd: B, blocks: usize, pixels: usize, step: usize) -> TileKernel {
    each_size!((blocks, pixels), B => for_step(simd, step))
}

fn for_step<B: ByteSimd, const PIXELS: usize, const BLOCKS: usize>(simd: B, step: usize) -> TileKernel {
    // Sizes that a set has no registers for are not compiled.
    if const { PIXELS > tile_pixels(B::VECTORS)[BLOCKS - 1] } {
        unreachable!("rows are cut into tiles within `tile_pixels`")
    }
    let kernel: ByteCompiled<ByteKernel<PIXELS, BLOCKS, 0>> = match step {
        4 => simd.compiled::<ByteKernel<PIXELS, BLOCKS, 4>>(),
        _ => simd.compiled::<ByteKernel<PIXELS, BLOCKS, 0>>(),
    };
    kernel
}

/// The kernel for `PIXELS` pixels and `BLOCKS` blocks; `STEP` is `x_step`, or 0 where it is known at run time only.
struct ByteKernel<const PIXELS: usize, const BLOCKS: usize, const STEP: usize>;

impl<const PIXELS: usize, const BLOCKS: usize, const STEP: usize> ByteRoutine
    for ByteKernel<PIXELS, BLOCKS, STEP>
{
    type Call = TilePointers;
    type Common = Tile;

    /// # Safety
    /// The pointers are valid for the tile, see [`TilePointers`]; the tile has an end for bytes.
    #[inline(always)]
    unsafe fn run<B: ByteSimd>(simd: B, pointers: TilePointers, tile: &Tile) {
        let TilePointers { x, mut w, .. } = pointers;
        let end = tile.bytes.expect("a tile of bytes has an end");
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
                                let bytes = x.add(pixel * step + word).cast::<u32>().read();
                                let bytes = simd.word(bytes);
                                for (sum, &weights) in sums.iter_mut().zip(&weights) {
                                    *sum = simd.add_products(*sum, bytes, weights);
                                }
                            }
                            w = w.add(LANES);
                        }
                    }
                }
            }
            let to = (&pointers, tile, &end);
            match end.result {
                ByteResult::Floats => store(simd, &sums, to, Floats),
                ByteResult::Bytes => store(simd, &sums, to, Bytes),
                ByteResult::BytesAndResidual => store(simd, &sums, to, BytesAndResidual),
            }
        }
    }
}

/// Stores the results of a tile.
///
/// # Safety
/// As for the kernel.
#[inline(always)]
unsafe fn store<B: ByteSimd, const PIXELS: usize, const BLOCKS: usize>(
    simd: B,
    sums: &[[B::Sums; BLOCKS]; PIXELS],
    (pointers, tile, end): (&TilePointers, &Tile, &ByteEnd),
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
            let bias = pointers.bias.add(block * BYTE_BIAS);
            let (factor, summand) = (float.load_at(bias), float.load_at(bias.add(LANES)));
            for (pixel, values) in values.iter().enumerate() {
                let value = float.add(float.mul(values[block], factor), summand);
                let residual = pointers
                    .residual
                    .wrapping_add(block * tile.r_block + pixel * end.r_step);
                let y = pointers.y.add(block * tile.y_block + pixel * tile.y_step);
                how.store(float, value, bounds, (bias, residual), y);
            }
        }
    }
}
