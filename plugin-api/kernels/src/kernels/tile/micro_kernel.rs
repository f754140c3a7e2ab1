//! The loops of a tile, compiled for every size of a tile that an instruction set has registers for.

use super::sum::{AheadShare, Tile, TilePointers};
use crate::simd::{Compiled, LANES, Routine, Simd};
use std::sync::atomic::{Ordering, compiler_fence};

/// A kernel for one number of pixels and blocks.
///
/// It is safe to call where [`TilePointers`] holds what it promises for that number.
pub(super) type TileKernel = Compiled<MicroKernel<1, 1, 0>>;

/// How many pixels a tile has at most with 1, 2, 3 and 4 blocks of output channels, where the registers hold so many
/// vectors; 0 where that many blocks have no kernel.
pub(crate) const fn tile_pixels(vectors: usize) -> [usize; 4] {
    match vectors {
        // 28 sums at most, the weights of the blocks and a pixel.
        32.. => [14, 14, 9, 6],
        // 6 sums, the weights and a pixel.
        8.. => [6, 0, 0, 0],
        _ => [3, 0, 0, 0],
    }
}

/// Calls a function for a number of blocks and pixels that [`tile_pixels`] has, with an instruction set and the two
/// numbers as its parameters.
macro_rules! each_size {
    ($size:expr, $set:ident => $make:ident $arguments:tt) => {
        each_size! {
            @of $size, $set, $make $arguments,
            1 => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
            2 => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
            3 => [1, 2, 3, 4, 5, 6, 7, 8, 9],
            4 => [1, 2, 3, 4, 5, 6],
        }
    };
    (
        @of $size:expr, $set:ident, $make:ident $arguments:tt,
        $($blocks:literal => [$($pixels:literal),+],)+
    ) => {
        match $size {
            $($(($blocks, $pixels) => $make::<$set, $pixels, $blocks> $arguments,)+)+
            _ => unreachable!("rows are cut into tiles within `tile_pixels`"),
        }
    };
}
pub(super) use each_size;

/// The kernel for a tile of so many blocks and pixels, as [`tile_pixels`] has them; `step` is [`Tile::x_step`].
pub(super) fn tile_kernel<S: Simd>(simd: S, blocks: usize, pixels: usize, step: usize) -> TileKernel {
    each_size!((blocks, pixels), S => for_step(simd, step))
}

fn for_step<S: Simd, const PIXELS: usize, const BLOCKS: usize>(simd: S, step: usize) -> TileKernel {
    // Sizes that a set has no registers for are not compiled.
    if const { PIXELS > tile_pixels(S::VECTORS)[BLOCKS - 1] } {
        unreachable!("rows are cut into tiles within `tile_pixels`")
    }
    match step {
        1 => simd.compiled::<MicroKernel<PIXELS, BLOCKS, 1>>(),
        2 => simd.compiled::<MicroKernel<PIXELS, BLOCKS, 2>>(),
        16 => simd.compiled::<MicroKernel<PIXELS, BLOCKS, 16>>(),
        32 => simd.compiled::<MicroKernel<PIXELS, BLOCKS, 32>>(),
        _ => simd.compiled::<MicroKernel<PIXELS, BLOCKS, 0>>(),
    }
}

/// The kernel for `PIXELS` pixels and `BLOCKS` blocks; `STEP` is `x_step`, or 0 where it is known at run time only.
pub(super) struct MicroKernel<const PIXELS: usize, const BLOCKS: usize, const STEP: usize>;

impl<const PIXELS: usize, const BLOCKS: usize, const STEP: usize> Routine
    for MicroKernel<PIXELS, BLOCKS, STEP>
{
    type Call = TilePointers;
    type Common = Tile;

    /// # Safety
    /// The pointers are valid for the tile, see [`TilePointers`].
    #[inline(always)]
    unsafe fn run<S: Simd>(simd: S, pointers: TilePointers, tile: &Tile) {
        let TilePointers {
            x,
            w,
            bias,
            residual,
            y,
            turn,
        } = pointers;
        let ahead = tile.ahead.share(turn);
        debug_assert!(STEP == 0 || STEP == tile.x_step);
        let mut sums = [[simd.splat(0.0); BLOCKS]; PIXELS];
        let mut w = w;
        // SAFETY: the loops stay within what the caller promises for `x` and `w`.
        unsafe {
            for block in 0..tile.blocks {
                let channels = if block + 1 == tile.blocks {
                    tile.last_channels
                } else {
                    tile.channels
                };
                for row in 0..tile.rows {
                    for column in 0..tile.columns {
                        let x = x.add(block * tile.x_block + row * tile.x_row + column * tile.x_column);
                        let terms = Terms {
                            simd,
                            tile,
                            ahead,
                            x,
                            w,
                        };
                        let mut channel = 0;
                        // A few sums take so little time that counting channels would take as long. Kernels' rows, whose
                        // pixels are next to each other, are too short for it.
                        if const { S::VECTORS < 16 && STEP.is_multiple_of(LANES) } {
                            while channel + 4 <= channels {
                                terms.add::<PIXELS, BLOCKS, STEP, 4>(channel, &mut sums);
                                channel += 4;
                            }
                        }
                        while channel < channels {
                            terms.add::<PIXELS, BLOCKS, STEP, 1>(channel, &mut sums);
                            channel += 1;
                        }
                        w = w.add(channels * LANES);
                    }
                }
            }
        }
        let (slope, maximum) = (simd.splat(tile.slope), simd.splat(tile.maximum));
        for block in 0..BLOCKS {
            for (pixel, sums) in sums.iter().enumerate() {
                let mut sum = sums[block];
                // SAFETY: the caller's promise for `bias`, `residual` and `y`.
                unsafe {
                    if !residual.is_null() {
                        sum = simd.add(
                            sum,
                            simd.load_at(residual.add(block * tile.r_block + pixel * LANES)),
                        );
                    }
                    if !bias.is_null() {
                        sum = simd.add(sum, simd.load_at(bias.add(block * LANES)));
                        // Operands in this order let a value that is not a number through.
                        sum = simd.min(maximum, simd.max(simd.mul(sum, slope), sum));
                    }
                    simd.store_at(y.add(block * tile.y_block + pixel * tile.y_step), sum);
                }
            }
        }
    }
}

/// Pixels next to each other and their weights.
struct Terms<'a, S> {
    simd: S,
    tile: &'a Tile,
    ahead: AheadShare,
    x: *const f32,
    w: *const f32,
}

impl<S: Simd> Terms<'_, S> {
    /// Adds the products of `CHANNELS` channels, the first of which is `channel`, to the sums.
    ///
    /// # Safety
    /// The pointers are valid for these channels of the tile's pixels, and for their weights.
    #[inline(always)]
    unsafe fn add<const PIXELS: usize, const BLOCKS: usize, const STEP: usize, const CHANNELS: usize>(
        &self,
        channel: usize,
        sums: &mut [[S::Vector; BLOCKS]; PIXELS],
    ) {
        let Self {
            simd,
            tile,
            ahead,
            x,
            w,
        } = *self;
        let step = if STEP == 0 { tile.x_step } else { STEP };
        // SAFETY: the caller's promise.
        unsafe {
            let (x, w) = (x.add(channel), w.add(channel * LANES));
            ahead.each::<CHANNELS>(channel, |later| {
                for block in 0..BLOCKS {
                    simd.prefetch(w.wrapping_add(block * tile.w_block + later));
                }
            });
            for offset in 0..CHANNELS {
                if CHANNELS > 1 {
                    // Else the compiler loads for later channels here, and has no registers left.
                    compiler_fence(Ordering::SeqCst);
                }
                let mut weights = [simd.splat(0.0); BLOCKS];
                for (block, weight) in weights.iter_mut().enumerate() {
                    *weight = simd.load_at(w.add(block * tile.w_block + offset * LANES));
                }
                // Each channel brings a pixel of the next block: the processor foresees no jump between blocks.
                let next = tile.x_block + (channel + offset) * step;
                simd.prefetch_near(self.x.wrapping_add(next));
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    let value = simd.splat(*x.add(pixel * step + offset));
                    for (sum, &weight) in sums.iter_mut().zip(&weights) {
                        *sum = simd.mul_add(weight, value, *sum);
                    }
                }
            }
        }
    }
}
