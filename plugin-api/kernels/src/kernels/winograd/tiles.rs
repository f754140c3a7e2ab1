//! How a map is cut into tiles.

use crate::memory::Layout;

/// Results in a row or column of a tile.
pub(crate) const TILE: usize = 4;
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
