//! What the products of attention are made of.

use crate::{
    kernels::tile::{RowTiles, WordEnd},
    memory::View,
    simd::{LANES, Simd},
};
use std::ops::Range;

/// The channels of a head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    pub(super) first: usize,
    pub(super) count: usize,
}

/// What is multiplied: how it is packed, and by which tiles.
pub(super) trait Arithmetic: Copy {
    type Float: Simd;

    /// What becomes of a tile's sums, where they are of words.
    const END: Option<WordEnd>;

    fn float(self) -> Self::Float;

    /// How many sums the registers hold.
    fn vectors(self) -> usize;

    /// The tiles of so many blocks of outputs.
    fn tiles(self, blocks: usize, positions: usize) -> RowTiles;

    /// Positions as an input of tiles: `[blocks of features][positions][16]`.
    fn pack(self, x: &View, features: Features, positions: Range<usize>, to: &mut [f32]);

    /// Keys as weights whose sums are over features: `[blocks of keys][features][16]`; zeros beyond the last key.
    fn pack_keys(self, x: &View, features: Features, keys: Range<usize>, to: &mut [f32]);

    /// Values as weights whose sums are over keys: `[blocks of features][keys][16]`.
    fn pack_values(self, x: &View, features: Features, keys: Range<usize>, to: &mut [f32]);

    /// Stores the weights of 16 keys for a query, over its scores or at `index` of the narrow ones.
    fn store_weights(
        self,
        scores: &mut [f32; LANES],
        narrow: &mut [f32],
        index: usize,
        weights: <Self::Float as Simd>::Vector,
    );

    /// Where the weights are.
    fn weights<'a>(self, scores: &'a [f32], narrow: &'a [f32]) -> &'a [f32];
}
