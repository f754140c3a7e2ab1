//! The micro-kernel: a tile of output pixels times blocks of output channels, held in registers.
//!
//! Convolutions of every kernel size and stride, linear layers and the multiplications of Winograd's algorithm
//! and of attention are all sums over `blocks x rows x columns x channels` of a weight vector times a pixel's
//! value; they differ in distances only.

use crate::simd::{LANES, Simd};

/// The sum that a tile computes and what becomes of it; the same for all tiles of a layer.
///
/// Distances are in `f32`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile {
    /// Blocks of input channels.
    pub(crate) blocks: usize,
    /// Rows of the kernel.
    pub(crate) rows: usize,
    /// Columns of the kernel.
    pub(crate) columns: usize,
    /// Values next to each other that each have a weight vector: channels of a block.
    pub(crate) channels: usize,
    /// The same for the last block.
    pub(crate) last_channels: usize,
    /// From one block of the input to the next.
    pub(crate) x_block: usize,
    /// From one row of the kernel to the next, in the input.
    pub(crate) x_row: usize,
    /// From one column of the kernel to the next, in the input.
    pub(crate) x_column: usize,
    /// From one output pixel to the next, in the input.
    pub(crate) x_step: usize,
    /// From one block of output channels to the next, in the weights.
    pub(crate) w_block: usize,
    /// The weights that are fetched meanwhile.
    pub(crate) ahead: Ahead,
    /// From one block of output channels to the next, in the output.
    pub(crate) y_block: usize,
    /// From one pixel to the next, in the output.
    pub(crate) y_step: usize,
    /// From one block of output channels to the next, in the residual, whose pixels follow each other.
    pub(crate) r_block: usize,
    /// What negative results are multiplied with: 1 without an activation, 0 for ReLU.
    pub(crate) slope: f32,
    /// Where results end: infinity without an activation, 6 for ReLU6.
    pub(crate) maximum: f32,
}

impl Tile {
    /// Products of one whole block of input channels in a sum.
    #[inline(always)]
    pub(crate) fn terms_of_block(&self) -> usize {
        self.channels * self.rows * self.columns
    }
}

/// Weights that tiles bring into the second cache for those that come after them. Where weights are read once and do
/// not stay in a cache, the processor alone is too late with them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ahead {
    /// From weights that are read now to those that are fetched.
    distance: usize,
    /// Of so many tiles less one, a power of two, each fetches a share: that of the channels with this remainder.
    mask: usize,
    share: usize,
}

impl Ahead {
    /// Nothing is fetched: no channel has this remainder.
    pub(crate) const NONE: Self = Self {
        distance: 0,
        mask: 0,
        share: 1,
    };

    /// `tiles` tiles that use the same weights fetch those that are `distance` further.
    pub(crate) fn new(distance: usize, tiles: usize) -> Self {
        Self {
            distance,
            mask: (1 << tiles.clamp(1, LANES).ilog2()) - 1,
            share: 0,
        }
    }

    /// The share of one of the tiles.
    #[inline(always)]
    pub(crate) fn of_tile(self, index: usize) -> Self {
        if self.distance == 0 {
            return self;
        }
        Self {
            share: index & self.mask,
            ..self
        }
    }
}

/// Pointers of one tile.
///
/// A kernel for `P` pixels and `B` blocks reads `x` at every combination of `blocks`, `rows`, `columns`,
/// `channels` and `P` steps; `w` for `B` blocks of 16 values for each term of the sum; and, unless it is null,
/// `bias` for `16 B` values and `residual` for 16 values for each pixel and block. It writes 16 values for each pixel and block at `y`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TilePointers {
    pub(crate) x: *const f32,
    pub(crate) w: *const f32,
    /// Null where there is neither a bias nor an activation.
    pub(crate) bias: *const f32,
    /// Null where nothing is added.
    pub(crate) residual: *const f32,
    pub(crate) y: *mut f32,
}

/// A kernel for one number of pixels and blocks. Safe to call where [`TilePointers`] holds what it promises
/// and the machine has the kernel's instruction set.
pub(crate) type TileKernel = unsafe fn(TilePointers, &Tile);

/// The kernel for `PIXELS` pixels and `BLOCKS` blocks; `STEP` is `x_step`, or 0 where it is known at run time only.
///
/// # Safety
/// See [`TileKernel`].
#[inline(always)]
pub(crate) unsafe fn tile<S: Simd, const PIXELS: usize, const BLOCKS: usize, const STEP: usize>(
    simd: S,
    pointers: TilePointers,
    tile: &Tile,
) {
    let TilePointers {
        x,
        w,
        bias,
        residual,
        y,
    } = pointers;
    debug_assert!(STEP == 0 || STEP == tile.x_step);
    let step = if STEP == 0 { tile.x_step } else { STEP };
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
                    for channel in 0..channels {
                        let mut weights = [simd.splat(0.0); BLOCKS];
                        for (block, weight) in weights.iter_mut().enumerate() {
                            *weight = simd.load_at(w.add(block * tile.w_block));
                        }
                        if channel & tile.ahead.mask == tile.ahead.share {
                            for block in 0..BLOCKS {
                                simd.prefetch(w.wrapping_add(block * tile.w_block + tile.ahead.distance));
                            }
                        }
                        // Each channel brings a pixel of the next block: the processor foresees no jump between blocks.
                        simd.prefetch_near(x.wrapping_add(tile.x_block + channel * step));
                        w = w.add(LANES);
                        for (pixel, sums) in sums.iter_mut().enumerate() {
                            let value = simd.splat(*x.add(pixel * step + channel));
                            for (sum, &weight) in sums.iter_mut().zip(&weights) {
                                *sum = simd.mul_add(weight, value, *sum);
                            }
                        }
                    }
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

/// Defines `tile_kernel(blocks, pixels, step)` for an instruction set: its token, its features, and for each
/// number of blocks the numbers of pixels.
macro_rules! tile_table {
    ($token:expr $(, $features:literal)?, [$($blocks:literal => [$($pixels:literal),+]),+ $(,)?]) => {
        fn tile_kernel(blocks: usize, pixels: usize, step: usize) -> crate::kernels::tile::TileKernel {
            use crate::kernels::tile::{Tile, TileKernel, TilePointers, tile};

            /// # Safety
            /// See [`TileKernel`].
            $(#[target_feature(enable = $features)])?
            unsafe fn with_features<const PIXELS: usize, const BLOCKS: usize, const STEP: usize>(
                pointers: TilePointers,
                sum: &Tile,
            ) {
                // SAFETY: the caller's promise; this function is only reached through a token.
                unsafe { tile::<_, PIXELS, BLOCKS, STEP>($token, pointers, sum) }
            }

            fn for_step<const PIXELS: usize, const BLOCKS: usize>(step: usize) -> TileKernel {
                match step {
                    1 => with_features::<PIXELS, BLOCKS, 1>,
                    2 => with_features::<PIXELS, BLOCKS, 2>,
                    16 => with_features::<PIXELS, BLOCKS, 16>,
                    32 => with_features::<PIXELS, BLOCKS, 32>,
                    _ => with_features::<PIXELS, BLOCKS, 0>,
                }
            }

            match (blocks, pixels) {
                $($(($blocks, $pixels) => for_step::<$pixels, $blocks>(step),)+)+
                _ => unreachable!("layers are cut into tiles within TILE_PIXELS"),
            }
        }
    };
}

pub(crate) use tile_table;

/// A row of pixels cut into tiles that are as equal as can be: the first ones are a pixel larger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    tiles: usize,
    small: usize,
    larger: usize,
}

impl Cut {
    /// `length` pixels in tiles of at most `largest`.
    pub(crate) fn new(length: usize, largest: usize) -> Self {
        let tiles = length.div_ceil(largest);
        Self {
            tiles,
            small: length / tiles,
            larger: length % tiles,
        }
    }

    /// How many tiles.
    pub(crate) fn tiles(&self) -> usize {
        self.tiles
    }

    /// Pixels of the smaller tiles; the others have one more.
    pub(crate) fn small(&self) -> usize {
        self.small
    }

    /// Pixels of a tile.
    #[inline(always)]
    pub(crate) fn pixels(&self, tile: usize) -> usize {
        self.small + usize::from(tile < self.larger)
    }
}

/// The tiles of a row and the kernels for them.
#[derive(Clone, Copy)]
pub(crate) struct RowTiles {
    pub(crate) cut: Cut,
    small: TileKernel,
    large: TileKernel,
}

impl RowTiles {
    /// For `width` pixels of so many blocks of output channels, whose inputs are `x_step` apart.
    #[inline(always)]
    pub(crate) fn new<S: Simd>(simd: S, blocks: usize, width: usize, x_step: usize) -> Self {
        let cut = Cut::new(width, S::TILE_PIXELS[blocks - 1]);
        let small = simd.tile(blocks, cut.small(), x_step);
        let large = if cut.pixels(0) > cut.small() {
            simd.tile(blocks, cut.small() + 1, x_step)
        } else {
            small
        };
        Self { cut, small, large }
    }

    /// Computes a tile of so many pixels, as the cut has them.
    ///
    /// # Safety
    /// The pointers are valid for the tile, see [`TilePointers`].
    #[inline(always)]
    pub(crate) unsafe fn run(&self, pixels: usize, pointers: TilePointers, tile: &Tile) {
        let kernel = if pixels == self.cut.small() {
            self.small
        } else {
            self.large
        };
        // SAFETY: the caller's promise.
        unsafe { kernel(pointers, tile) }
    }
}

/// Cuts `blocks` blocks of output channels into groups for which there are kernels: how many blocks each has.
///
/// `width` is the length of the rows of pixels. The cost of a tile is what its instructions take at two
/// multiplications and two loads a cycle, where a multiplication has to wait 4 cycles for the one before; and
/// something for each block, because more blocks than two have more weights than the first cache holds.
pub(crate) fn group_blocks(blocks: usize, width: usize, tile_pixels: [usize; 4]) -> Vec<usize> {
    let cost = |count: usize| -> Option<usize> {
        let largest = *tile_pixels.get(count - 1)?;
        if largest == 0 {
            return None;
        }
        let row = Cut::new(width, largest);
        let tile = |pixels: usize| (pixels * count).max(pixels + count).max(8) + count;
        Some((0..row.tiles()).map(|index| tile(row.pixels(index))).sum())
    };
    // The cheapest way to cut the first n blocks, and its last group.
    let mut best = vec![(0usize, 0usize)];
    for total in 1..=blocks {
        let ways = (1..=total.min(tile_pixels.len()))
            .filter_map(|count| cost(count).map(|cost| (best[total - count].0 + cost, count)));
        best.push(ways.min().unwrap_or((usize::MAX, 1)));
    }
    let mut groups = Vec::new();
    let mut rest = blocks;
    while rest > 0 {
        groups.push(best[rest].1);
        rest -= best[rest].1;
    }
    groups.reverse();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_covers_the_row_with_near_equal_tiles() {
        for length in 1..100 {
            let row = Cut::new(length, 14);
            let pixels: Vec<usize> = (0..row.tiles()).map(|tile| row.pixels(tile)).collect();
            assert_eq!(pixels.iter().sum::<usize>(), length);
            assert!(
                pixels
                    .iter()
                    .all(|&pixels| pixels <= 14 && pixels - row.small() <= 1)
            );
        }
    }

    #[test]
    fn groups_fill_the_registers() {
        let avx512 = [14, 14, 9, 6];
        assert_eq!(group_blocks(8, 14, avx512), [2, 2, 2, 2]);
        assert_eq!(group_blocks(8, 197, avx512), [2, 2, 2, 2]);
        assert_eq!(group_blocks(8, 1, avx512), [4, 4]);
        assert_eq!(group_blocks(3, 7, [6, 0, 0, 0]), [1, 1, 1]);
        for blocks in 1..40 {
            let groups = group_blocks(blocks, 20, avx512);
            assert_eq!(groups.iter().sum::<usize>(), blocks);
        }
    }
}
