//! The micro-kernel: a tile of output pixels times blocks of output channels, held in registers.
//!
//! Convolutions of every kernel size and stride, linear layers and the multiplications of Winograd's algorithm
//! and of attention are all sums over `blocks x rows x columns x channels` of a weight vector times a pixel's
//! value; they differ in distances only.

mod end;
mod micro_kernel;
mod rows;
mod sum;
mod words;

pub(crate) use end::{
    Bf16, Bytes, Floats, RESIDUAL_FACTORS, RESULT_FACTORS, Store, WORD_BIAS, WordEnd, WordResult, Words,
};
pub(crate) use micro_kernel::tile_pixels;
pub(crate) use rows::{RowTiles, group_blocks};
pub(crate) use sum::{Ahead, Tile, TilePointers};
