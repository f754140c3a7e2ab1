//! The blocked layout: channels in blocks of 16 that lie next to each other at each pixel, with a border of
//! zeros (the halo) around each block's plane, so that kernels have no edges to care for.
//!
//! `[channels / 16][top + height + bottom][left + width + right][16]`, row-major. Tokens are a map of one row.

use crate::{graph::Shape, simd::LANES};

/// Zeros around a plane, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Halo {
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    pub(crate) left: usize,
    pub(crate) right: usize,
}

impl Halo {
    /// Enough for both.
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.max(other.left),
            right: self.right.max(other.right),
        }
    }
}

/// Where the values of one image are, in `f32` from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    /// Channels before padding to whole blocks.
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) halo: Halo,
}

impl Layout {
    pub(crate) fn new(shape: Shape, halo: Halo) -> Self {
        let (height, width) = match shape {
            Shape::Map { height, width, .. } => (height, width),
            _ => (1, shape.positions()),
        };
        Self {
            channels: shape.channels(),
            height,
            width,
            halo,
        }
    }

    /// Blocks of 16 channels.
    pub(crate) fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Distance from one row to the next.
    pub(crate) fn row(&self) -> usize {
        (self.halo.left + self.width + self.halo.right) * LANES
    }

    /// Distance from one block to the next. It is an odd number of pixels, so that the same pixel of many
    /// blocks does not fall into a few sets of the cache.
    pub(crate) fn block(&self) -> usize {
        let pixels = (self.halo.top + self.height + self.halo.bottom) * self.row() / LANES;
        (pixels | 1) * LANES
    }

    /// Length of one image.
    pub(crate) fn image(&self) -> usize {
        self.blocks() * self.block()
    }

    /// Where the first channel of a block is at a pixel, the halo not counted.
    #[inline(always)]
    pub(crate) fn at(&self, block: usize, y: usize, x: usize) -> usize {
        block * self.block() + (self.halo.top + y) * self.row() + (self.halo.left + x) * LANES
    }

    /// Whether the pixels of a block follow each other without a gap, so that it can be taken as one row.
    pub(crate) fn is_contiguous(&self) -> bool {
        self.height == 1 || self.halo.left + self.halo.right == 0
    }
}
