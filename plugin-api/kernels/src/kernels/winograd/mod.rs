//! Winograd's minimal filtering F(4x4, 3x3): 3x3 convolution of stride 1 with 36 multiplications for each 16
//! results instead of 144 (Lavin and Gray, "Fast algorithms for convolutional neural networks").
//!
//! A block of tiles of 4x4 results is transformed into 36 planes, each plane is multiplied with its transformed
//! weights by the micro-kernel, and the products are transformed back, with the layer's epilogue, while they
//! are in the cache. The interpolation points are 0, ±3/4, ±3/2 and infinity: with them the results are about
//! as exact as those of direct convolution, which the usual 0, ±1, ±2 do not reach.

mod convolution;
mod matrices;
mod tiles;
mod transform;
mod weights;

pub(crate) use convolution::{Results, WinogradConvolution, WinogradCut};
pub(crate) use tiles::{cost, needed_rows, tiles_of};
pub(crate) use weights::{block_length, transform_weights};
