//! How a direct convolution is cut into groups, tasks and chunks.

use super::Builder;
use super::packing::ReadBlocks;
use crate::kernels::convolution::{DirectConvolution, Group};
use crate::kernels::tile::group_blocks;
use crate::memory::Layout;
use crate::simd::LANES;

/// Values of input that a task of a convolution reads, so that they stay in a core's cache while all groups of
/// output channels take their turn.
const TASK_INPUT: usize = 48 * 1024;
/// Weights of a task, so that they stay in a core's cache while all images take their turn.
const TASK_WEIGHTS: usize = 96 * 1024;
/// Tasks of a convolution, at least, so that threads that share it are done at about the same time.
const TASKS: usize = 8;
/// Blocks of input channels of a chunk: their weights for two blocks of output channels fill two thirds of a
/// core's first cache.
const CHUNK_BLOCKS: usize = 16;
/// Pixels that have to share a chunk's weights to make up for keeping incomplete sums.
const CHUNK_PIXELS: usize = 40;
/// Values of input for which all groups of output channels take their turn: a third of a core's second cache.
const PART_INPUT: usize = 192 * 1024;

impl Builder<'_> {
    /// Cuts a convolution's output blocks into groups and its work into tasks.
    pub(super) fn set_groups(&self, convolution: &mut DirectConvolution, reads: &ReadBlocks, x: &Layout) {
        let pixels = self.isa.tile_pixels();
        let mut first = 0;
        // Blocks that read the same input go together.
        for run in reads.firsts.chunk_by(|a, b| a == b) {
            for blocks in group_blocks(run.len(), convolution.width, pixels) {
                convolution.groups.push(Group {
                    first,
                    blocks,
                    x_start: run[0] * x.block(),
                });
                first += blocks;
            }
        }
        let tile = &convolution.tile;
        let row = tile.blocks * convolution.x_line.max(1);
        let largest = convolution
            .groups
            .iter()
            .map(|group| group.blocks)
            .max()
            .unwrap_or(1);
        convolution.task_rows = (TASK_INPUT / row).clamp(1, convolution.height);
        convolution.task_groups =
            (TASK_WEIGHTS / (largest * tile.w_block)).clamp(1, convolution.groups.len());
        let tasks = convolution.tasks();
        if tasks < TASKS {
            if convolution.task_groups == convolution.groups.len() && convolution.height >= TASKS {
                convolution.task_rows = convolution.height.div_ceil(TASKS);
            } else {
                convolution.task_groups = (convolution.task_groups * tasks).div_ceil(TASKS);
            }
        }
        // Larger kernels use each value several times, so that incomplete sums would not pay.
        let pixels = convolution.width * convolution.task_rows;
        let pointwise = tile.rows * tile.columns == 1 && tile.channels == LANES;
        if pointwise && tile.y_step == LANES && pixels >= CHUNK_PIXELS {
            convolution.chunk_blocks = CHUNK_BLOCKS;
            let part = PART_INPUT / (pixels * LANES);
            convolution.part_blocks = part.max(1).next_multiple_of(CHUNK_BLOCKS);
            // Each task reads an input that does not stay in the second cache once more.
            if convolution.part_blocks < convolution.tile.blocks {
                let shared = convolution.groups.len().div_ceil(TASKS);
                convolution.task_groups = convolution.task_groups.max(shared);
            }
        }
    }
}
