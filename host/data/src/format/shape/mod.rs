//! Geometry that formats need: masks on the picture, run lengths, outlines.

mod mask;
mod outline;
mod placed;
mod raster;
mod run_lengths;

pub(super) use mask::Mask;
pub(super) use outline::{area, bounds, outlines};
pub(super) use placed::PlacedMask;
pub(super) use raster::{fill, rasterize};
pub(super) use run_lengths::RunLengths;

/// A point in pixels: 0 is the left edge of the first column, or the top edge of the first row.
pub(super) type Point = [f64; 2];

/// A box in pixels: `[x, y, width, height]`.
pub(super) type PixelBox = [f64; 4];
