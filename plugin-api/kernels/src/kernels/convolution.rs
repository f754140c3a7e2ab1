//! Direct convolution: rows of tiles. Linear layers, grouped, transposed and the planar first convolution are
//! the same loops with other distances.

use std::ops::Range;
use std::sync::Arc;

use super::epilogue::{Epilogue, Stages, finish_rest};
use super::tile::{Ahead, RowTiles, Tile, TilePointers};
use crate::memory::{AlignedBuffer, Packed};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Output blocks that one tile computes together, and where their input starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// The first block of output channels.
    pub(crate) first: usize,
    /// How many: 1 to 4.
    pub(crate) blocks: usize,
    /// Where the input channels start, in `f32`: 0 but for grouped convolutions.
    pub(crate) x_start: usize,
}

/// A convolution ready to run on one layout. Distances are in `f32`.
#[derive(Debug)]
pub(crate) struct DirectConvolution {
    /// The sum of one tile.
    pub(crate) tile: Tile,
    pub(crate) groups: Vec<Group>,
    /// `[output blocks][terms of the sum][16]`
    pub(crate) weights: Packed,
    /// `[output blocks][16]`
    pub(crate) bias: Arc<AlignedBuffer>,
    pub(crate) stages: Stages,
    /// Output rows; where pixels follow each other without a border, a row is any number of them.
    pub(crate) height: usize,
    /// Output pixels in a row.
    pub(crate) width: usize,
    /// Output pixels in the last row, at most `width`.
    pub(crate) last_width: usize,
    /// Where the first output pixel's window starts in the input.
    pub(crate) x_origin: usize,
    /// From the window of one output row to that of the next.
    pub(crate) x_line: usize,
    /// Where the first output pixel is.
    pub(crate) y_origin: usize,
    /// From one output row to the next.
    pub(crate) y_line: usize,
    /// Where the residual's first pixel is.
    pub(crate) r_origin: usize,
    /// From one row of the residual to the next.
    pub(crate) r_line: usize,
    /// Length of one image of the input.
    pub(crate) x_length: usize,
    /// Length of one image of the output.
    pub(crate) y_length: usize,
    /// Length of one image of the residual; 0 without one.
    pub(crate) r_length: usize,
    /// Blocks of input channels whose sums are added up before those of the next ones, so that their weights stay
    /// in the first cache while all pixels take their turn.
    pub(crate) chunk_blocks: usize,
    /// Blocks of input channels for which all groups of output channels take their turn before the next ones, so
    /// that the input stays in the second cache; a multiple of `chunk_blocks`.
    pub(crate) part_blocks: usize,
    /// What is done at once where there is one thread.
    pub(crate) task: TaskSize,
}

/// A share of a convolution's work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskSize {
    pub(crate) images: usize,
    pub(crate) rows: usize,
    /// Groups of output blocks.
    pub(crate) groups: usize,
}

/// The images that a convolution works on: the first one's values, and the distances to the next one's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Images {
    pub(crate) count: usize,
    pub(crate) x: *const f32,
    pub(crate) x_image: usize,
    /// Null without a residual.
    pub(crate) residual: *const f32,
    pub(crate) r_image: usize,
    pub(crate) y: *mut f32,
    pub(crate) y_image: usize,
}

impl DirectConvolution {
    /// Checks that no tile reads or writes outside of its image or of its weights, whatever the caller of
    /// `new` computed; the kernels rely on it.
    ///
    /// # Panics
    /// Where one would: a mistake in this crate, found when a plan is made and not when it runs.
    pub(crate) fn checked(self) -> Self {
        let tile = &self.tile;
        let last_channel = if tile.blocks > 1 {
            tile.channels.max(tile.last_channels)
        } else {
            tile.last_channels
        };
        assert!((1..=self.width).contains(&self.last_width) && self.height > 0);
        // Of the row that reaches further: the last one, or the one before it, which may be wider.
        let row_reach = |line: usize, step: usize| {
            let last = (self.height - 1) * line + (self.last_width - 1) * step;
            let before = match self.height {
                1 => 0,
                height => (height - 2) * line + (self.width - 1) * step,
            };
            last.max(before)
        };
        let reach = self.x_origin
            + row_reach(self.x_line, tile.x_step)
            + (tile.blocks - 1) * tile.x_block
            + (tile.rows - 1) * tile.x_row
            + (tile.columns - 1) * tile.x_column
            + last_channel;
        let terms = ((tile.blocks - 1) * tile.channels + tile.last_channels) * tile.rows * tile.columns;
        // Sums that are not complete are kept in the output, whose pixels have to follow each other then.
        assert!(self.chunk_blocks > 0 && self.part_blocks > 0);
        assert!(self.task.images > 0 && self.task.rows > 0 && self.task.groups > 0);
        assert!(
            self.chunk_blocks >= tile.blocks || tile.y_step == LANES,
            "sums cannot be kept"
        );
        for group in &self.groups {
            let last = group.first + group.blocks - 1;
            assert!(
                group.x_start + reach <= self.x_length,
                "a tile reads beyond its input"
            );
            assert!(tile.w_block >= terms * LANES, "weights of blocks overlap");
            assert!(
                last * tile.w_block + terms * LANES <= self.weights.len(),
                "a tile reads beyond its weights"
            );
            assert!(
                (last + 1) * LANES <= self.bias.len(),
                "a tile reads beyond its bias"
            );
            let y_reach = self.y_origin + row_reach(self.y_line, tile.y_step) + last * tile.y_block + LANES;
            assert!(y_reach <= self.y_length, "a tile writes beyond its output");
            let r_reach = self.r_origin + row_reach(self.r_line, LANES) + last * tile.r_block + LANES;
            assert!(
                self.r_length == 0 || r_reach <= self.r_length,
                "a tile reads beyond the residual"
            );
        }
        self
    }

    /// Tasks that so many threads may take in any order.
    pub(crate) fn tasks(&self, images: usize, threads: usize) -> usize {
        self.task_counts(images, self.task_size(images, threads))
            .iter()
            .product()
    }

    /// How many tasks there are along rows, groups and images.
    fn task_counts(&self, images: usize, size: TaskSize) -> [usize; 3] {
        [
            self.height.div_ceil(size.rows),
            self.groups.len().div_ceil(size.groups),
            images.div_ceil(size.images),
        ]
    }

    /// Blocks of a part where so many images share its weights: fewer than planned leave room for more.
    fn part_blocks(&self, images: usize) -> usize {
        self.part_blocks
            .saturating_mul((self.task.images / images).max(1))
    }

    /// The size of tasks such that so many threads are done at about the same time.
    fn task_size(&self, images: usize, threads: usize) -> TaskSize {
        /// Tasks of a thread.
        const TASKS: usize = 4;
        let mut size = self.task;
        if threads == 1 {
            return size;
        }
        let wanted = TASKS * threads;
        // An input that does not stay in the second cache is read by each of the tasks.
        let wanted_groups = if self.part_blocks(1) < self.tile.blocks {
            wanted / 2
        } else {
            wanted
        };
        let smaller = |size: usize, all: usize, wanted: usize, others: usize| {
            size.min(all.div_ceil(wanted.div_ceil(others))).max(1)
        };
        size.images = smaller(size.images, images, wanted, 1);
        let pixels = (self.height - 1) * self.width + self.last_width;
        // Tasks of different rows read the same weights, those of different groups the same input.
        let groups_first = self.bias.len() > pixels;
        for along_groups in [groups_first, !groups_first] {
            let [rows, groups, images] = self.task_counts(images, size);
            if along_groups {
                size.groups = smaller(size.groups, self.groups.len(), wanted_groups, rows * images);
            } else {
                size.rows = smaller(size.rows, self.height, wanted, groups * images);
            }
        }
        size
    }

    /// Runs one of the [`tasks`](Self::tasks) for so many threads; `last_width` is the number of pixels in the last
    /// row, at most that of the layer.
    ///
    /// # Safety
    /// For each image, `x` is valid for reads of `x_length` values, `residual` of `r_length`, and `y` for writes of
    /// `y_length`; nobody else uses this task's part of `y` now.
    pub(crate) unsafe fn run(
        &self,
        isa: Isa,
        images: Images,
        last_width: usize,
        threads: usize,
        task: usize,
    ) {
        assert!(last_width <= self.last_width && images.residual.is_null() == (self.r_length == 0));
        let size = self.task_size(images.count, threads);
        let [_, group_tasks, image_tasks] = self.task_counts(images.count, size);
        // All images take their turn with the same weights while those are in the cache.
        let (task, image_task) = (task / image_tasks, task % image_tasks);
        let (row_task, group_task) = (task / group_tasks, task % group_tasks);
        let share = |task: usize, size: usize, all: usize| task * size..((task + 1) * size).min(all);
        isa.run(Share {
            layer: self,
            images,
            last_width,
            image_range: share(image_task, size.images, images.count),
            rows: share(row_task, size.rows, self.height),
            groups: &self.groups[share(group_task, size.groups, self.groups.len())],
        });
    }
}

/// A task.
struct Share<'a> {
    layer: &'a DirectConvolution,
    images: Images,
    last_width: usize,
    image_range: Range<usize>,
    rows: Range<usize>,
    groups: &'a [Group],
}

/// Weights of a layer that stay in the second cache from one use to the next.
const CACHED_WEIGHTS: usize = 128 * 1024;

/// The bias of a sum that has its bias already.
static NO_BIAS: [f32; 4 * LANES] = [0.0; 4 * LANES];

impl Kernel for Share<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layer = self.layer;
        let part_blocks = layer.part_blocks(self.image_range.len());
        for part in pieces(0..layer.tile.blocks, part_blocks) {
            for group in self.groups {
                for chunk in pieces(part.clone(), layer.chunk_blocks) {
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
        let whole = RowTiles::new(simd, group.blocks, layer.width, layer.tile.x_step);
        let last = RowTiles::new(simd, group.blocks, self.last_width, layer.tile.x_step);
        let tile = self.tile_of(group, part, &blocks, whole.cut.tiles());
        let skipped = blocks.start * layer.tile.terms_of_block() * LANES;
        // SAFETY: `checked` has shown that every offset below is inside of the image, the weights and the bias;
        // `run`'s caller promises that the images are there.
        unsafe {
            let w = layer.weights.as_ptr().add(group.first * tile.w_block + skipped);
            let bias = if is_first {
                layer.bias.as_ptr().add(group.first * LANES)
            } else if is_last {
                NO_BIAS.as_ptr()
            } else {
                std::ptr::null()
            };
            let x_start = group.x_start + layer.x_origin + blocks.start * tile.x_block;
            let rows = self
                .image_range
                .clone()
                .flat_map(|image| self.rows.clone().map(move |row| (image, row)));
            let mut turn = 0;
            for (image, row) in rows {
                let tiles = if row + 1 == layer.height { last } else { whole };
                let images = &self.images;
                let mut x = images
                    .x
                    .add(image * images.x_image + x_start + row * layer.x_line);
                let y_start = group.first * tile.y_block + layer.y_origin + row * layer.y_line;
                let mut y = images.y.add(image * images.y_image + y_start);
                let r_start = group.first * layer.tile.r_block + layer.r_origin + row * layer.r_line;
                let mut residual = image * images.r_image + r_start;
                for index in 0..tiles.cut.tiles() {
                    let pixels = tiles.cut.pixels(index);
                    let added = if !is_first {
                        y.cast_const()
                    } else if layer.stages.residual_first {
                        images.residual.add(residual)
                    } else {
                        std::ptr::null()
                    };
                    let pointers = TilePointers {
                        x,
                        w,
                        bias,
                        residual: added,
                        y,
                    };
                    let tile = Tile {
                        ahead: tile.ahead.of_tile(turn),
                        ..tile
                    };
                    turn += 1;
                    tiles.run(pixels, pointers, &tile);
                    if is_last && let Some(rest) = layer.stages.rest {
                        let size = (group.blocks, pixels);
                        finish_tile(
                            simd,
                            rest,
                            &layer.tile,
                            size,
                            images.residual.wrapping_add(residual),
                            y,
                        );
                    }
                    x = x.add(pixels * tile.x_step);
                    y = y.add(pixels * tile.y_step);
                    residual += pixels * LANES;
                }
            }
        }
    }
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
