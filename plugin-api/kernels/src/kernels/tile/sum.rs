//! What a tile computes, and where.

use super::end::{WORD_BIAS, WordEnd};
use crate::simd::LANES;

/// The sum that a tile computes and what becomes of it; the same for all tiles of a layer.
///
/// Distances are in `f32`.
#[derive(Clone, Copy, Debug)]
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
    /// What becomes of the sums where the input is words: channels are words then, and slope and maximum without
    /// meaning.
    pub(crate) end: Option<WordEnd>,
}

impl Tile {
    /// From one block of output channels to the next, in the bias.
    #[inline(always)]
    pub(crate) fn bias_block(&self) -> usize {
        if self.end.is_some() { WORD_BIAS } else { LANES }
    }

    /// From one pixel of the residual to the next.
    #[inline(always)]
    pub(crate) fn r_step(&self) -> usize {
        self.end.map_or(LANES, |end| end.r_step)
    }

    /// `f32` that the 16 channels of a result have the place of.
    pub(crate) fn y_pixel(&self) -> usize {
        self.end.map_or(LANES, |end| end.result.pixel())
    }

    /// Products of one whole block of input channels in a sum.
    #[inline(always)]
    pub(crate) fn terms_of_block(&self) -> usize {
        self.channels * self.rows * self.columns
    }
}

/// Weights that tiles bring into the second cache for those that come after them. Where weights are read once and do
/// not stay in a cache, the processor alone is too late with them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// From weights that are read now to those that are fetched.
    distance: usize,
    /// Of so many tiles less one, a power of two, each fetches a share.
    mask: usize,
}

impl Ahead {
    /// Nothing is fetched.
    pub(crate) const NONE: Self = Self { distance: 0, mask: 0 };

    /// `tiles` tiles that use the same weights fetch those that are `distance` further.
    pub(crate) fn new(distance: usize, tiles: usize) -> Self {
        Self {
            distance,
            mask: (1 << tiles.clamp(1, LANES).ilog2()) - 1,
        }
    }

    /// The share of the tile of this turn.
    #[inline(always)]
    pub(super) fn share(&self, turn: usize) -> AheadShare {
        AheadShare {
            distance: self.distance,
            mask: self.mask,
            rest: if self.distance == 0 {
                LANES
            } else {
                turn & self.mask
            },
        }
    }
}

/// What one tile fetches.
#[derive(Clone, Copy, Debug)]
pub(super) struct AheadShare {
    distance: usize,
    mask: usize,
    /// The rest, under the mask, of the numbers of the channels whose weights are fetched; of none where it is 16.
    rest: usize,
}

impl AheadShare {
    /// Calls `fetch` with how far it is, from the weights of the first of `CHANNELS` channels, to those that are fetched
    /// with them. `channel` is the first one's number, a multiple of `CHANNELS`, which is a power of two.
    #[inline(always)]
    pub(super) fn each<const CHANNELS: usize>(&self, channel: usize, fetch: impl Fn(usize)) {
        let within = CHANNELS - 1;
        if channel & self.mask & !within != self.rest & !within {
            return;
        }
        let mut offset = self.rest & within;
        while offset < CHANNELS {
            fetch(self.distance + offset * LANES);
            offset += self.mask + 1;
        }
    }
}

/// Pointers of one tile.
///
/// A kernel for `P` pixels and `B` blocks reads `x` at every combination of `blocks`, `rows`, `columns`,
/// `channels` and `P` steps; `w` for `B` blocks of 16 values for each term of the sum; and, unless it is null,
/// `bias` for `16 B` values ([`WORD_BIAS`] for each block where there are words) and `residual` for 16 values for each pixel and block. It writes 16 values for each pixel and block at `y`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TilePointers {
    pub(crate) x: *const f32,
    pub(crate) w: *const f32,
    /// Null where there is neither a bias nor an activation.
    pub(crate) bias: *const f32,
    /// Null where nothing is added.
    pub(crate) residual: *const f32,
    pub(crate) y: *mut f32,
    /// Counts the tiles that use the same weights; each has another share of [`Tile::ahead`].
    pub(crate) turn: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// The channels, of 16, whose later weights a tile fetches, `CHANNELS` at a time.
    fn fetched<const CHANNELS: usize>(ahead: Ahead, turn: usize) -> Vec<usize> {
        let found = RefCell::new(Vec::new());
        for channel in (0..LANES).step_by(CHANNELS) {
            let fetch = |later| {
                found
                    .borrow_mut()
                    .push(channel + (later - ahead.distance) / LANES)
            };
            ahead.share(turn).each::<CHANNELS>(channel, fetch);
        }
        found.into_inner()
    }

    #[test]
    fn tiles_share_what_is_fetched() {
        for tiles in [1, 2, 3, 4, 7, 8, 20] {
            let ahead = Ahead::new(512, tiles);
            let shares = 3..ahead.mask + 4;
            let mut all: Vec<usize> = shares
                .clone()
                .flat_map(|turn| fetched::<4>(ahead, turn))
                .collect();
            all.sort_unstable();
            assert_eq!(all, Vec::from_iter(0..LANES), "{tiles} tiles");
            for turn in shares {
                assert_eq!(fetched::<1>(ahead, turn), fetched::<4>(ahead, turn));
            }
        }
        assert!(fetched::<1>(Ahead::NONE, 0).is_empty() && fetched::<4>(Ahead::NONE, 0).is_empty());
    }
}
