//! The blocked layout: channels in blocks of 16 that lie next to each other at each pixel, with a border of
//! zeros (the halo) around each block's plane, so that kernels have no edges to care for.
//!
//! `[channels / 16][top + height + bottom][left + width + right][16]`, row-major. Tokens are a map of one row. Where the
//! values are bytes, four of them have the place of an `f32`; where they are bf16, two.

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

/// What a value is kept as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    /// `f32`.
    #[default]
    Float,
    /// The upper halves of `f32`.
    Bf16,
    /// `u8`, of which one stands for 0.
    Byte {
        /// What stands for 0.
        zero: u8,
    },
}

impl Element {
    /// `f32` that the 16 channels of a pixel have the place of.
    #[inline(always)]
    pub(crate) const fn pixel(self) -> usize {
        match self {
            Self::Float => LANES,
            Self::Bf16 => LANES / 2,
            Self::Byte { .. } => LANES / 4,
        }
    }

    /// What fills a halo: 0 (of bf16, two), or the bits of four bytes that stand for it.
    fn nothing(self) -> f32 {
        match self {
            Self::Float | Self::Bf16 => 0.0,
            Self::Byte { zero } => f32::from_bits(u32::from_ne_bytes([zero; 4])),
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
    pub(crate) element: Element,
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
            element: Element::Float,
        }
    }

    /// The same for another kind of values.
    pub(crate) fn of(self, element: Element) -> Self {
        Self { element, ..self }
    }

    /// From one pixel of a block to the next.
    #[inline(always)]
    pub(crate) fn pixel(&self) -> usize {
        self.element.pixel()
    }

    /// What fills the halo.
    pub(crate) fn nothing(&self) -> f32 {
        self.element.nothing()
    }

    /// Blocks of 16 channels.
    pub(crate) fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Distance from one row to the next.
    pub(crate) fn row(&self) -> usize {
        (self.halo.left + self.width + self.halo.right) * self.pixel()
    }

    /// Distance from one block to the next. It is an odd number of pixels, so that the same pixel of many
    /// blocks does not fall into a few sets of the cache.
    pub(crate) fn block(&self) -> usize {
        let pixels = (self.halo.top + self.height + self.halo.bottom) * self.row() / self.pixel();
        (pixels | 1) * self.pixel()
    }

    /// Length of one image.
    pub(crate) fn image(&self) -> usize {
        self.blocks() * self.block()
    }

    /// Where the first channel of a block is at a pixel, the halo not counted.
    #[inline(always)]
    pub(crate) fn at(&self, block: usize, y: usize, x: usize) -> usize {
        block * self.block() + (self.halo.top + y) * self.row() + (self.halo.left + x) * self.pixel()
    }

    /// Whether the pixels of a block follow each other without a gap, so that it can be taken as one row.
    pub(crate) fn is_contiguous(&self) -> bool {
        self.height == 1 || self.halo.left + self.halo.right == 0
    }
}
