//! The loops of a task over chunks of input channels, rows and tiles.

use super::{
    images::Images,
    specification::{Group, Specification},
};
use crate::{
    kernels::{
        epilogue::{Epilogue, finish_rest},
        requantise::Staged,
        tile::{Ahead, RowTiles, Tile, TilePointers, WORD_BIAS, WordEnd, WordResult},
    },
    simd::{Kernel, LANES, Simd, WordSet},
};
use std::ops::Range;

/// A task of a convolution that has been checked, and of images that are there.
pub(super) struct Share<'a> {
    pub(super) layer: &'a Specification,
    pub(super) images: Images<'a>,
    /// Where the input is words.
    pub(super) words: Option<(WordEnd, WordSet)>,
    pub(super) last_width: usize,
    pub(super) image_range: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) groups: &'a [Group],
}

/// Weights of a layer that stay in the second cache from one use to the next.
const CACHED_WEIGHTS: usize = 128 * 1024;

/// Pixels of the largest tile, and values of its sums.
const MOST_PIXELS: usize = 14;
const MOST_SUMS: usize = 4 * MOST_PIXELS * LANES;

/// The bias of a sum that has its bias already.
static NO_BIAS: [f32; 4 * LANES] = [0.0; 4 * LANES];

impl Kernel for Share<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layer = self.layer;
        let part_blocks = layer.part_blocks(self.image_range.len());
        for part in pieces(0..layer.tile.blocks, part_blocks) {
            for group in self.groups {
                for chunk in pieces(part.clone(), layer.order.chunk_blocks) {
                    self.chunk(simd, group, &part, chunk);
                }
            }
        }
    }
}

/// Cuts a range into pieces of this length; the last one may be shorter.
fn pieces(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range
        .step_by(length)
        .map(move |start| start..start.saturating_add(length).min(end))
}

impl Share<'_> {
    /// The sum of one tile of a chunk, where a row has so many tiles; weights that come next are fetched on the way.
    #[inline(always)]
    fn tile_of(&self, group: &Group, part: &Range<usize>, blocks: &Range<usize>, row_tiles: usize) -> Tile {
        let layer = self.layer;
        let mut tile = Tile {
            blocks: blocks.len(),
            ..layer.tile
        };
        if blocks.end < layer.tile.blocks {
            tile = Tile {
                last_channels: tile.channels,
                slope: 1.0,
                maximum: f32::INFINITY,
                ..tile
            };
        }
        if blocks.start > 0 {
            tile.r_block = tile.y_block;
        }
        if layer.weights.len() > CACHED_WEIGHTS {
            let block = tile.terms_of_block() * LANES;
            // The next chunk's, or the part's first ones of the next group.
            let distance = if blocks.end == part.end {
                group.blocks * tile.w_block - (blocks.start - part.start) * block
            } else {
                blocks.len() * block
            };
            tile.ahead = Ahead::new(distance, self.image_range.len() * self.rows.len() * row_tiles);
        }
        tile
    }

    /// Adds up the products of some blocks of input channels, of a part of all. The first ones start with the residual
    /// and the bias, the others with what is there, and the last ones end with the activation.
    #[inline(always)]
    fn chunk<S: Simd>(&self, simd: S, group: &Group, part: &Range<usize>, blocks: Range<usize>) {
        let layer = self.layer;
        let (is_first, is_last) = (blocks.start == 0, blocks.end == layer.tile.blocks);
        let tiles_of = |width| match self.words {
            Some((_, set)) => RowTiles::of_words(set, group.blocks, width, layer.tile.x_step),
            None => RowTiles::new(simd, group.blocks, width, layer.tile.x_step),
        };
        let (whole, last) = (tiles_of(layer.pixels.width), tiles_of(self.last_width));
        let tile = self.tile_of(group, part, &blocks, whole.cut.tiles());
        let skipped = blocks.start * layer.tile.terms_of_block() * LANES;
        let bias = if is_first {
            layer.bias[group.first * tile.bias_block()..].as_ptr()
        } else if is_last {
            NO_BIAS.as_ptr()
        } else {
            std::ptr::null()
        };
        let chunk = Chunk {
            blocks: group.blocks,
            w: layer.weights[group.first * tile.w_block + skipped..].as_ptr(),
            bias,
            is_first,
            is_last,
        };
        let x_start = group.x_start + layer.x.origin + blocks.start * tile.x_block;
        let y_start = group.first * tile.y_block + layer.y.origin;
        let residual = layer.residual.unwrap_or_default();
        let r_start = group.first * layer.tile.r_block + residual.origin;
        let images = &self.images;
        let rows = self
            .image_range
            .clone()
            .flat_map(|image| self.rows.clone().map(move |row| (image, row)));
        let mut turn = 0;
        for (image, row) in rows {
            let tiles = if row + 1 == layer.pixels.height {
                last
            } else {
                whole
            };
            let x_at = image * images.x_image + x_start + row * layer.x.line;
            let y_at = image * images.y_image + y_start + row * layer.y.line;
            let r_at = image * images.r_image + r_start + row * residual.line;
            // SAFETY: the offsets are inside of the image, as `Specification::check` has shown, and the image is there,
            // as `DirectConvolution::run` has checked.
            let (x, y) = unsafe { (images.x.as_ptr().add(x_at), images.y.as_ptr().add(y_at)) };
            let added = match images.residual {
                Some(values) => values.as_ptr().wrapping_add(r_at),
                None => std::ptr::null(),
            };
            // SAFETY: as above, for every pixel of the row; nobody else uses the row's values of this group, as the
            // caller of `DirectConvolution::run` promises.
            unsafe { self.row(simd, &chunk, &tiles, &tile, (x, added, y), turn) };
            turn += tiles.cut.tiles();
        }
    }

    /// The tiles of a row of words whose sums are numbers at first, as [`row`](Self::row) does.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn staged_row<S: Simd>(
        &self,
        simd: S,
        (chunk, staged, end): (&Chunk, &Staged, WordEnd),
        tiles: &RowTiles,
        tile: &Tile,
        (x, residual, y): (*const f32, *const f32, *mut f32),
        turn: usize,
    ) {
        let mut sums = [0.0; MOST_SUMS];
        let sum_tile = Tile {
            y_block: MOST_PIXELS * LANES,
            y_step: LANES,
            end: Some(WordEnd {
                result: WordResult::Floats,
                ..end
            }),
            ..*tile
        };
        let mut done = 0;
        for index in 0..tiles.cut.tiles() {
            let pixels = tiles.cut.pixels(index);
            let pointers = TilePointers {
                x: x.wrapping_add(done * tile.x_step),
                w: chunk.w,
                bias: chunk.bias,
                residual: std::ptr::null(),
                y: sums.as_mut_ptr(),
                turn: turn + index,
            };
            // SAFETY: the tile's pixels are a part of the row; the caller's promise. There is room for the sums of the
            // most blocks and pixels that a tile has.
            unsafe { tiles.run(pixels, pointers, &sum_tile) };
            for (block, pixel) in
                (0..chunk.blocks).flat_map(|block| (0..pixels).map(move |pixel| (block, pixel)))
            {
                let sum = simd.load_slice(&sums[(block * MOST_PIXELS + pixel) * LANES..]);
                let at = done + pixel;
                let residual = residual.wrapping_add(block * tile.r_block + at * end.r_step);
                let y = y.wrapping_add(block * tile.y_block + at * tile.y_step);
                // SAFETY: the caller's promise.
                unsafe { staged.store(simd, sum, chunk.bias.add(block * WORD_BIAS), residual, y) };
            }
            done += pixels;
        }
    }

    /// The tiles of a row, from the first pixel's window, residual and result on. `turn` counts the chunk's tiles.
    ///
    /// # Safety
    /// The pointers are valid for the windows, residuals and results of the row.
    #[inline(always)]
    unsafe fn row<S: Simd>(
        &self,
        simd: S,
        chunk: &Chunk,
        tiles: &RowTiles,
        tile: &Tile,
        (x, residual, y): (*const f32, *const f32, *mut f32),
        turn: usize,
    ) {
        if let (Some(staged), Some((end, _))) = (&self.layer.staged, self.words) {
            // SAFETY: the caller's promise.
            unsafe { self.staged_row(simd, (chunk, staged, end), tiles, tile, (x, residual, y), turn) };
            return;
        }
        let stages = &self.layer.stages;
        let (mut x, mut residual, mut y) = (x, residual, y);
        for index in 0..tiles.cut.tiles() {
            let pixels = tiles.cut.pixels(index);
            let added = if !chunk.is_first {
                y.cast_const()
            } else if stages.residual_first || self.words.is_some() {
                residual
            } else {
                std::ptr::null()
            };
            let pointers = TilePointers {
                x,
                w: chunk.w,
                bias: chunk.bias,
                residual: added,
                y,
                turn: turn + index,
            };
            // SAFETY: the tile's pixels are a part of the row; the caller's promise.
            unsafe {
                tiles.run(pixels, pointers, tile);
                if chunk.is_last
                    && let Some(rest) = stages.rest
                {
                    let size = (chunk.blocks, pixels);
                    finish_tile(simd, rest, &self.layer.tile, size, residual, y);
                }
            }
            // The last ones may be beyond what is there.
            x = x.wrapping_add(pixels * tile.x_step);
            y = y.wrapping_add(pixels * tile.y_step);
            residual = residual.wrapping_add(pixels * tile.r_step());
        }
    }
}

/// Blocks of input channels for a group, and where their weights are.
struct Chunk {
    /// Output blocks of the group.
    blocks: usize,
    w: *const f32,
    /// Null where sums are to go on.
    bias: *const f32,
    is_first: bool,
    is_last: bool,
}

/// Does what the micro-kernel leaves of the epilogue.
///
/// # Safety
/// `y`, and `residual` if one is added, are valid for the blocks and pixels of a tile.
#[inline(always)]
unsafe fn finish_tile<S: Simd>(
    simd: S,
    rest: Epilogue,
    tile: &Tile,
    (blocks, pixels): (usize, usize),
    residual: *const f32,
    y: *mut f32,
) {
    for block in 0..blocks {
        for pixel in 0..pixels {
            // SAFETY: the caller's promise.
            unsafe {
                let y = y.add(block * tile.y_block + pixel * tile.y_step);
                let residual = residual.wrapping_add(block * tile.r_block + pixel * LANES);
                let sum = simd.load_at(y);
                simd.store_at(y, finish_rest(simd, rest, sum, || simd.load_at(residual)));
            }
        }
    }
}
