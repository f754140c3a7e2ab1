//! The three stages of a convolution: inputs to planes, planes times weights, products to results.

use super::{
    tiles::{PLANES, TILE, needed_rows, tiles_of},
    transform::{transform_input, transform_output},
};
use crate::{
    graph::Padding,
    kernels::{
        epilogue::Stages,
        tile::{Ahead, RowTiles, Tile, TilePointers},
    },
    memory::{AlignedBuffer, Layout, Packed, Region, SharedMut, Target, View},
    simd::{Isa, Kernel, LANES, Simd},
};
use std::{ops::Range, sync::Arc};

/// A convolution ready to run on one layout, none of whose windows reaches beyond its plane.
#[derive(Debug)]
pub(crate) struct WinogradConvolution {
    /// `[output blocks][36][input channels][16]`: what is read one after the other lies one after the other.
    weights: Packed,
    /// `[output blocks][16]`
    bias: Arc<AlignedBuffer>,
    stages: Stages,
    x: Layout,
    y: Layout,
    /// Where the first window starts in the input.
    x_origin: usize,
    cut: WinogradCut,
}

/// What goes through the stages together.
#[derive(Debug)]
pub(crate) struct WinogradCut {
    /// Tiles that go through all stages together.
    pub(crate) block_tiles: usize,
    /// Blocks of output channels that are multiplied together.
    pub(crate) group_blocks: Vec<usize>,
}

/// Where one image's results go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Results<'a> {
    /// What the epilogue adds.
    pub(crate) residual: Option<View<'a>>,
    pub(crate) y: Target<'a>,
}

impl WinogradConvolution {
    /// `weights` come from [`transform_weights`](super::transform_weights), `bias` is `[output blocks][16]`; the halo of
    /// `x` covers the windows, see [`needed_rows`].
    ///
    /// # Panics
    /// Where it does not, where there are not enough weights, or the groups are not all blocks: a mistake in this crate,
    /// found when a plan is made and not when it runs.
    pub(crate) fn new(
        (weights, bias): (Packed, Arc<AlignedBuffer>),
        stages: Stages,
        padding: Padding,
        (x, y): (Layout, Layout),
        cut: WinogradCut,
    ) -> Self {
        assert!(padding.top <= x.halo.top && padding.left <= x.halo.left);
        let x_origin = (x.halo.top - padding.top) * x.row() + (x.halo.left - padding.left) * LANES;
        let (rows, columns) = (needed_rows(y.height), needed_rows(y.width));
        let reach = x_origin + (rows - 1) * x.row() + columns * LANES;
        assert!(reach <= x.block(), "a window reads beyond its plane");
        assert!(weights.len() >= y.blocks() * PLANES * x.channels * LANES);
        assert!(bias.len() >= y.blocks() * LANES);
        assert_eq!(cut.group_blocks.iter().sum::<usize>(), y.blocks());
        Self {
            weights,
            bias,
            stages,
            x,
            y,
            x_origin,
            cut,
        }
    }

    /// What goes through the stages together.
    pub(crate) fn cut(&self) -> &WinogradCut {
        &self.cut
    }

    /// Tiles of one image.
    pub(crate) fn tiles(&self) -> usize {
        tiles_of(&self.y)
    }

    /// Blocks of input channels.
    pub(crate) fn input_blocks(&self) -> usize {
        self.x.blocks()
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
        let blocks = self.cut.group_blocks.iter().copied().max().unwrap_or(1);
        PLANES * self.output_plane(tiles, blocks)
    }

    /// Transforms the input of some tiles and channel blocks into `planes`; `x` is an image's input.
    ///
    /// # Safety
    /// Nobody else reads or writes the vectors of these blocks in `planes` meanwhile.
    ///
    /// # Panics
    /// Where `planes` have no room, or there are not so many blocks.
    pub(crate) unsafe fn transform<'a>(
        &self,
        isa: Isa,
        x: impl Fn(usize) -> View<'a>,
        tiles: Range<usize>,
        blocks: Range<usize>,
        planes: SharedMut,
    ) {
        assert!(planes.len() >= self.input_planes(tiles.len()));
        assert!(blocks.end <= self.x.blocks());
        isa.run(TransformInputs {
            layer: self,
            x,
            tiles,
            blocks,
            planes: planes.as_ptr(),
        });
    }

    /// Multiplies `planes` with the weights of some groups of output channels and stores the results of the tiles.
    ///
    /// # Safety
    /// Nobody else reads or writes the results of these tiles and groups meanwhile.
    ///
    /// # Panics
    /// Where `planes` or `products` are too short.
    pub(crate) unsafe fn multiply<'a>(
        &self,
        isa: Isa,
        results: impl Fn(usize) -> Results<'a>,
        tiles: Range<usize>,
        groups: Range<usize>,
        planes: &[f32],
        products: &mut [f32],
    ) {
        assert!(planes.len() >= self.input_planes(tiles.len()));
        assert!(products.len() >= self.output_planes(tiles.len()));
        isa.run(Multiply {
            layer: self,
            results,
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
    x: F,
    tiles: Range<usize>,
    blocks: Range<usize>,
    planes: *mut f32,
}

impl<'a, F: Fn(usize) -> View<'a>> Kernel for TransformInputs<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layer = self.layer;
        let count = self.tiles.len();
        let plane = layer.input_plane(count);
        for tile in self.tiles.clone() {
            let (image, row, column) = layer.place(tile);
            let x = (self.x)(image);
            assert_eq!(x.layout(), &layer.x);
            for block in self.blocks.clone() {
                let start = layer.x_origin + block * layer.x.block() + row * layer.x.row() + column * LANES;
                // SAFETY: no window reaches beyond its plane, as `new` has checked, and there are these planes, as
                // `transform` has; it has checked the room for `count` tiles as well, and this tile and block are this
                // call's own.
                unsafe {
                    let from = x.values().as_ptr().add(start);
                    let to = self.planes.add((block * count + tile - self.tiles.start) * LANES);
                    transform_input(simd, from, layer.x.row(), to, plane);
                }
            }
        }
    }
}

struct Multiply<'l, F> {
    layer: &'l WinogradConvolution,
    results: F,
    tiles: Range<usize>,
    groups: Range<usize>,
    planes: &'l [f32],
    products: &'l mut [f32],
}

impl<'a, F: Fn(usize) -> Results<'a>> Kernel for Multiply<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let layer = self.layer;
        let mut first: usize = layer.cut.group_blocks[..self.groups.start].iter().sum();
        for &group in &layer.cut.group_blocks[self.groups.clone()] {
            self.multiply_planes(simd, first, group);
            self.store_results(simd, first, group);
            first += group;
        }
    }
}

impl<'a, F: Fn(usize) -> Results<'a>> Multiply<'_, F> {
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
            end: None,
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
                        turn: index,
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
            let Results { residual, y } = (self.results)(image);
            let region = Region {
                blocks: first..first + group,
                rows: row..layer.y.height.min(row + TILE),
                columns: column..layer.y.width.min(column + TILE),
            };
            // SAFETY: the caller of `multiply` promises that these results are this call's own.
            let mut y = unsafe { y.region(region) };
            for block in 0..group {
                let from = &self.products[(block * count + tile - self.tiles.start) * LANES..];
                let bias = simd.load_slice(&layer.bias[(first + block) * LANES..]);
                transform_output(
                    simd,
                    &layer.stages,
                    first + block,
                    (from, plane),
                    bias,
                    residual.as_ref(),
                    &mut y,
                );
            }
        }
    }
}
