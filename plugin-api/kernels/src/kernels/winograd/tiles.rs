//! How a map is cut into tiles.

use crate::{memory::Layout, simd::LANES};

/// Results in a row or column of a tile.
pub(super) const TILE: usize = 4;
/// Inputs in a row or column of a tile.
pub(super) const WINDOW: usize = 6;
/// Planes: products for each tile.
pub(crate) const PLANES: usize = WINDOW * WINDOW;

/// Rows (or columns) of input that the windows over so many results cover.
pub(crate) fn needed_rows(results: usize) -> usize {
    results.next_multiple_of(TILE) + WINDOW - TILE
}

/// Tiles of one image of a result.
pub(crate) fn tiles_of(y: &Layout) -> usize {
    y.height.div_ceil(TILE) * y.width.div_ceil(TILE)
}

/// What a layer costs, in products of a direct convolution: 36 products for each tile and a transform of its inputs and
/// results, which takes about as long as the products of 16 channels. `size` is that of the result.
pub(crate) fn cost(inputs: usize, outputs: usize, size: [usize; 2]) -> usize {
    let tiles = size[0].div_ceil(TILE) * size[1].div_ceil(TILE);
    let outputs = outputs.next_multiple_of(LANES);
    let products = PLANES * tiles * inputs * outputs;
    let transforms = PLANES * tiles * LANES * (inputs.next_multiple_of(LANES) + outputs) / 2;
    products + transforms
}
