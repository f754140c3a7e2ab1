//! How a direct convolution is cut into groups, tasks, parts and chunks.

use super::Builder;
use crate::{
    kernels::{
        convolution::{Group, Pixels, Specification, TaskSize},
        reads::ReadBlocks,
        tile::{group_blocks, tile_pixels},
    },
    memory::{Layout, second_cache},
    simd::LANES,
};

/// Values of input that a task of a convolution reads, so that they stay in a core's cache while all groups of
/// output channels take their turn.
const TASK_INPUT: usize = 48 * 1024;
/// Weights of a task, so that they stay in a core's cache while all images take their turn.
const TASK_WEIGHTS: usize = 96 * 1024;
/// Blocks of input channels of a chunk: their weights for two blocks of output channels fill two thirds of a
/// core's first cache.
const CHUNK_BLOCKS: usize = 16;
/// Pixels that have to share a chunk's weights to make up for keeping incomplete sums.
const CHUNK_PIXELS: usize = 40;
/// Tiles of a row where pixels follow each other without a border.
const ROW_TILES: usize = 2;

/// Values of input for which all groups of output channels take their turn: less than half of a core's second cache.
fn part_input() -> usize {
    second_cache() / 16 * 7
}

impl Builder<'_> {
    /// Cuts a convolution's output blocks into groups and its work on so many images into tasks.
    pub(super) fn set_groups(
        &self,
        convolution: &mut Specification,
        reads: &ReadBlocks,
        x: &Layout,
        images: usize,
    ) {
        let vectors = match convolution.tile.end {
            Some(end) => end.words.set(self.isa).vectors(),
            None => self.isa.vectors(),
        };
        let pixels = tile_pixels(vectors);
        let mut first = 0;
        // Blocks that read the same input go together.
        for run in reads.firsts.chunk_by(|a, b| a == b) {
            for blocks in group_blocks(run.len(), convolution.pixels.width, pixels) {
                convolution.groups.push(Group {
                    first,
                    blocks,
                    x_start: run[0] * x.block(),
                });
                first += blocks;
            }
        }
        let tile = &convolution.tile;
        // Larger kernels use each value several times, so that incomplete sums would not pay.
        let pointwise = tile.rows * tile.columns == 1 && tile.channels == LANES && tile.y_step == LANES;
        if tile.rows * tile.columns == 1 && tile.end.is_some() {
            set_word_panels(convolution, images);
        } else if pointwise && reads.count == x.blocks() {
            set_panels(convolution, images);
        } else {
            set_rows(convolution);
        }
    }
}

/// Tasks of rows of one image whose input stays in the cache, for groups whose weights do.
fn set_rows(convolution: &mut Specification) {
    let tile = &convolution.tile;
    let row = tile.blocks * convolution.x.line.max(1);
    let groups = &convolution.groups;
    let largest = groups.iter().map(|group| group.blocks).max().unwrap_or(1);
    convolution.order.task = TaskSize {
        images: 1,
        rows: (TASK_INPUT / row).clamp(1, convolution.pixels.height),
        groups: (TASK_WEIGHTS / (largest * tile.w_block)).clamp(1, groups.len()),
    };
}

/// Tasks of all groups for a panel: so many pixels of so many blocks of input channels that they stay in the second
/// cache. Weights are read once for each panel, and sums that are not complete are written and read again for each
/// part of the blocks.
fn set_panels(convolution: &mut Specification, images: usize) {
    let blocks = convolution.tile.blocks;
    let (inputs, outputs) = (blocks * LANES, convolution.bias.len());
    let image = convolution.pixels.count();
    let (height, width) = (convolution.pixels.height, convolution.pixels.width);
    let groups = convolution.groups.len();
    let panel = |pixels: usize| TaskSize {
        images: (pixels / image).clamp(1, images),
        rows: (pixels / width).clamp(1, height),
        groups,
    };
    let weights = inputs * outputs;
    let (panel, part_blocks) = if weights <= TASK_WEIGHTS {
        (panel(TASK_INPUT / inputs), blocks)
    } else {
        let cost = |&(panel, part_blocks): &(TaskSize, usize)| {
            let panels = images.div_ceil(panel.images) * height.div_ceil(panel.rows);
            let sums = 2 * images * image * outputs * (blocks.div_ceil(part_blocks) - 1);
            weights * panels + sums
        };
        (1..=blocks.div_ceil(CHUNK_BLOCKS))
            .map(|parts| blocks.div_ceil(parts).next_multiple_of(CHUNK_BLOCKS))
            .map(|part_blocks| (panel(part_input() / (part_blocks * LANES)), part_blocks))
            .min_by_key(cost)
            .unwrap_or((panel(image), blocks))
    };
    convolution.order.task = panel;
    if (panel.images * panel.rows * width).min(images * image) >= CHUNK_PIXELS {
        convolution.order.chunk_blocks = CHUNK_BLOCKS;
        convolution.order.part_blocks = part_blocks;
    }
}

/// Tasks of all groups for so many pixels that these stay in the second cache. Sums of words cannot be kept until others
/// are added: all blocks go together.
fn set_word_panels(convolution: &mut Specification, images: usize) {
    let (height, width) = (convolution.pixels.height, convolution.pixels.width);
    let pixels = part_input() / (convolution.tile.blocks * convolution.tile.channels);
    convolution.order.task = TaskSize {
        images: (pixels / convolution.pixels.count()).clamp(1, images),
        rows: (pixels / width).clamp(1, height),
        groups: convolution.groups.len(),
    };
}

/// Makes rows of a few full tiles from a map whose pixels follow each other.
pub(super) fn cut_pixels(convolution: &mut Specification, tile_pixels: [usize; 4]) {
    let pixels = convolution.pixels.count();
    let largest = tile_pixels[1].max(tile_pixels[0]);
    let width = (ROW_TILES * pixels.div_ceil(pixels.div_ceil(largest))).min(pixels);
    convolution.x.line = width * convolution.tile.x_step;
    convolution.y.line = width * convolution.tile.y_step;
    if let Some(residual) = &mut convolution.residual {
        residual.line = width * convolution.tile.r_step();
    }
    let height = pixels.div_ceil(width);
    convolution.pixels = Pixels {
        height,
        width,
        last_width: pixels - (height - 1) * width,
    };
}
