//! Winograd's minimal filtering F(4x4, 3x3): 3x3 convolution of stride 1 with 36 multiplications for each 16
//! results instead of 144 (Lavin and Gray, "Fast algorithms for convolutional neural networks").
//!
//! A block of tiles of 4x4 results is transformed into 36 planes, each plane is multiplied with its transformed
//! weights by the micro-kernel, and the products are transformed back, with the layer's epilogue, while they
//! are in the cache. The interpolation points are 0, ±3/4, ±3/2 and infinity: with them the results are about
//! as exact as those of direct convolution, which the usual 0, ±1, ±2 do not reach.

mod transform;
mod weights;

use std::ops::Range;
use std::sync::Arc;

use self::transform::{transform_input, transform_output};
pub(crate) use self::weights::transform_weights;
use super::epilogue::Stages;
use super::tile::{Ahead, RowTiles, Tile, TilePointers};
use crate::memory::{AlignedBuffer, Layout, Packed, View, ViewMut};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Results in a row or column of a tile.
pub(crate) const TILE: usize = 4;
/// Inputs in a row or column of a tile.
pub(crate) const WINDOW: usize = 6;
/// Planes: products for each tile.
pub(crate) const PLANES: usize = WINDOW * WINDOW;

/// A convolution ready to run on one layout.
#[derive(Debug)]
pub(crate) struct WinogradConvolution {
    /// `[output blocks][36][input channels][16]`: what is read one after the other lies one after the other.
    pub(crate) weights: Packed,
    /// `[output blocks][16]`
    pub(crate) bias: Arc<AlignedBuffer>,
    pub(crate) stages: Stages,
    /// The input; its halo covers every window, see [`needed_rows`].
    pub(crate) x: Layout,
    pub(crate) y: Layout,
    /// Where the first window starts in the input: the halo minus the padding.
    pub(crate) x_origin: usize,
    /// Tiles that go through all stages together.
    pub(crate) block_tiles: usize,
    /// Blocks of output channels that are multiplied together.
    pub(crate) group_blocks: Vec<usize>,
}

/// Rows (or columns) of input that the windows over so many results cover.
pub(crate) fn needed_rows(results: usize) -> usize {
    results.next_multiple_of(TILE) + WINDOW - TILE
}

/// One image's views.
#[derive(Clone, Copy)]
pub(crate) struct Image<'a> {
    pub(crate) x: View<'a>,
    pub(crate) residual: Option<View<'a>>,
    pub(crate) y: ViewMut<'a>,
}

impl WinogradConvolution {
    /// Checks that no window reads outside of its plane and that there are weights for all blocks.
    ///
    /// # Panics
    /// Where one would: a mistake in this crate, found when a plan is made and not when it runs.
    pub(crate) fn checked(self) -> Self {
        let (rows, columns) = (needed_rows(self.y.height), needed_rows(self.y.width));
        let reach = self.x_origin + (rows - 1) * self.x.row() + columns * LANES;
        assert!(reach <= self.x.block(), "a window reads beyond its plane");
        assert!(self.weights.len() >= self.y.blocks() * PLANES * self.x.channels * LANES);
        assert!(self.bias.len() >= self.y.blocks() * LANES);
        assert_eq!(self.group_blocks.iter().sum::<usize>(), self.y.blocks());
        self
    }

    /// Tiles of one image.
    pub(crate) fn tiles(&self) -> usize {
        self.y.height.div_ceil(TILE) * self.y.width.div_ceil(TILE)
    }

    /// Length of the planes of so many tiles' inputs.
    pub(crate) fn input_planes(&self, tiles: usize) -> usize {
        PLANES * self.input_plane(tiles)
    }

    /// A plane ends with one unused vector, so that the same place of the 36 planes does not fall into one set
    /// of the cache.
    fn input_plane(&self, tiles: usize) -> usize {
        (self.x.blocks() * tiles + 1) * LANES
    }

    fn output_plane(&self, tiles: usize, blocks: usize) -> usize {
        (blocks * tiles + 1) * LANES
    }

    /// Length of the planes of so many tiles' products.
    pub(crate) fn output_planes(&self, tiles: usize) -> usize {
        let blocks = self.group_blocks.iter().copied().max().unwrap_or(1);
        PLANES * self.output_plane(tiles, blocks)
    }

    /// Transforms the input of some tiles and channel blocks into `planes`.
    ///
    /// # Safety
    /// `input_planes(tiles.len())` values can be written at `planes`, and nobody else touches those of `blocks`
    /// meanwhile.
    pub(crate) unsafe fn transform<'a>(
        &self,
        isa: Isa,
        image: impl Fn(usize) -> Image<'a>,
        tiles: Range<usize>,
        blocks: Range<usize>,
        planes: *mut f32,
    ) {
        isa.run(TransformInputs {
            layer: self,
            image,
            tiles,
            blocks,
            planes,
        });
    }

    /// Multiplies `planes` with the weights of some groups of output channels and stores the results of the tiles.
    pub(crate) fn multiply<'a>(
        &self,
        isa: Isa,
        image: impl Fn(usize) -> Image<'a>,
        tiles: Range<usize>,
        groups: Range<usize>,
        planes: &[f32],
        products: &mut [f32],
    ) {
        assert!(planes.len() >= self.input_planes(tiles.len()));
        assert!(products.len() >= self.output_planes(tiles.len()));
        isa.run(Multiply {
            layer: self,
            image,
            tiles,
            groups,
            planes,
            products,
        });
    }

    /// Row and column of a tile's first result, after the image's index.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let columns = self.y.width.div_ceil(TILE);
        let (image, tile) = (tile / self.tiles(), tile % self.tiles());
        (image, tile / columns * TILE, tile % columns * TILE)
    }
}

struct TransformInputs<'l, F> {
    layer: &'l WinogradConvolution,
    image: F,
    tiles: Range<usize>,
    blocks: Range<usize>,
    planes: *mut f32,
}

impl<'a, F: Fn(usize) -> Image<'a>> Kernel for TransformInputs<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layer = self.layer;
        let count = self.tiles.len();
        let plane = layer.input_plane(count);
        for tile in self.tiles.clone() {
            let (image, row, column) = layer.place(tile);
            let x = (self.image)(image).x;
            assert_eq!(x.layout(), &layer.x);
            for block in self.blocks.clone() {
                let start = layer.x_origin + block * layer.x.block() + row * layer.x.row() + column * LANES;
                debug_assert!(start + 5 * layer.x.row() + WINDOW * LANES <= layer.x.image());
                // SAFETY: the halo covers the window (see `needed_rows`); the planes have room for `count`
                // tiles, and this tile and block are this call's own.
                unsafe {
                    let to = self.planes.add((block * count + tile - self.tiles.start) * LANES);
                    transform_input(simd, x.offset(start), layer.x.row(), to, plane);
                }
            }
        }
    }
}

struct Multiply<'l, F> {
    layer: &'l WinogradConvolution,
    image: F,
    tiles: Range<usize>,
    groups: Range<usize>,
    planes: &'l [f32],
    products: &'l mut [f32],
}

impl<'a, F: Fn(usize) -> Image<'a>> Kernel for Multiply<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let layer = self.layer;
        let mut first: usize = layer.group_blocks[..self.groups.start].iter().sum();
        for &group in &layer.group_blocks[self.groups.clone()] {
            self.multiply_planes(simd, first, group);
            self.store_results(simd, first, group);
            first += group;
        }
    }
}

impl<'a, F: Fn(usize) -> Image<'a>> Multiply<'_, F> {
    /// Multiplies all planes with the weights of `group` blocks of output channels, from `first` on.
    #[inline(always)]
    fn multiply_planes<S: Simd>(&mut self, simd: S, first: usize, group: usize) {
        let layer = self.layer;
        let count = self.tiles.len();
        let channels = layer.x.channels;
        let blocks = layer.x.blocks();
        let tiles = RowTiles::new(simd, group, count, LANES);
        let sum = Tile {
            blocks,
            rows: 1,
            columns: 1,
            channels: LANES,
            last_channels: channels - (blocks - 1) * LANES,
            x_block: count * LANES,
            x_row: 0,
            x_column: 0,
            x_step: LANES,
            w_block: PLANES * channels * LANES,
            ahead: Ahead::new(channels * LANES, tiles.cut.tiles()),
            y_block: count * LANES,
            y_step: LANES,
            r_block: 0,
            slope: 1.0,
            maximum: f32::INFINITY,
        };
        let (x_plane, y_plane) = (layer.input_plane(count), layer.output_plane(count, group));
        for plane in 0..PLANES {
            let weights = &layer.weights[(first * PLANES + plane) * channels * LANES..];
            assert!(weights.len() >= ((group - 1) * PLANES + 1) * channels * LANES);
            let mut at = 0;
            for index in 0..tiles.cut.tiles() {
                let pixels = tiles.cut.pixels(index);
                // SAFETY: `multiply` has checked the room for planes and products of `count` tiles.
                unsafe {
                    let pointers = TilePointers {
                        x: self.planes.as_ptr().add(plane * x_plane + at * LANES),
                        w: weights.as_ptr(),
                        bias: std::ptr::null(),
                        residual: std::ptr::null(),
                        y: self.products.as_mut_ptr().add(plane * y_plane + at * LANES),
                    };
                    let sum = Tile {
                        ahead: sum.ahead.of_tile(index),
                        ..sum
                    };
                    tiles.run(pixels, pointers, &sum);
                }
                at += pixels;
            }
        }
    }

    /// Transforms the products of `group` blocks of output channels, from `first` on, and stores the results.
    #[inline(always)]
    fn store_results<S: Simd>(&self, simd: S, first: usize, group: usize) {
        let layer = self.layer;
        let count = self.tiles.len();
        let plane = layer.output_plane(count, group);
        for tile in self.tiles.clone() {
            let (image, row, column) = layer.place(tile);
            let image = (self.image)(image);
            for block in 0..group {
                let from = &self.products[(block * count + tile - self.tiles.start) * LANES..];
                let bias = simd.load_slice(&layer.bias[(first + block) * LANES..]);
                transform_output(
                    simd,
                    layer,
                    image,
                    (first + block, row, column),
                    from,
                    plane,
                    bias,
                );
            }
        }
    }
}
