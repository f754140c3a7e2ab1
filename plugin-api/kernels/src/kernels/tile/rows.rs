//! Rows of pixels cut into tiles, and output channels cut into groups.

use super::{
    micro_kernel::{TileKernel, tile_kernel, tile_pixels},
    sum::{Tile, TilePointers},
    words::word_kernel,
};
use crate::simd::{Simd, WordSet};

/// A row of pixels cut into tiles that are as equal as can be: the first ones are a pixel larger.
#[derive(Clone, Copy, Debug)]
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
        let cut = Cut::new(width, tile_pixels(S::VECTORS)[blocks - 1]);
        Self::of(cut, |pixels| tile_kernel(simd, blocks, pixels, x_step))
    }

    /// The same for words.
    pub(crate) fn of_words(set: WordSet, blocks: usize, width: usize, x_step: usize) -> Self {
        let cut = Cut::new(width, tile_pixels(set.vectors())[blocks - 1]);
        Self::of(cut, |pixels| word_kernel(set, blocks, pixels, x_step))
    }

    #[inline(always)]
    fn of(cut: Cut, kernel: impl Fn(usize) -> TileKernel) -> Self {
        let small = kernel(cut.small());
        let large = if cut.pixels(0) > cut.small() {
            kernel(cut.small() + 1)
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
