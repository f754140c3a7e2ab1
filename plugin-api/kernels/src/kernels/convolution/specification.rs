//! What a convolution is, and the check that it stays inside of its memory.

use crate::{
    kernels::{
        epilogue::Stages,
        requantise::Staged,
        tile::{ByteResult, Tile},
    },
    memory::{AlignedBuffer, Packed},
    simd::LANES,
};
use std::sync::Arc;

/// A convolution on one layout. Distances are in `f32`.
///
/// Nothing in it is to be relied on; [`DirectConvolution`](super::DirectConvolution) is one that has been checked.
#[derive(Debug)]
pub(crate) struct Specification {
    /// The sum of one tile.
    pub(crate) tile: Tile,
    /// Together they have every output block once, in order.
    pub(crate) groups: Vec<Group>,
    /// `[output blocks][terms of the sum][16]`
    pub(crate) weights: Packed,
    /// `[output blocks][16]`
    pub(crate) bias: Arc<AlignedBuffer>,
    pub(crate) stages: Stages,
    /// What becomes of sums of bytes where the tile's end is not all; `stages` has no meaning for bytes.
    pub(crate) staged: Option<Staged>,
    pub(crate) pixels: Pixels,
    /// The windows of the pixels in the input.
    pub(crate) x: Lines,
    pub(crate) y: Lines,
    pub(crate) residual: Option<Lines>,
    pub(crate) order: Order,
}

/// Output blocks that one tile computes together, and where their input starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// The first block of output channels.
    pub(crate) first: usize,
    /// How many: 1 to 4.
    pub(crate) blocks: usize,
    /// Where the input channels start, in `f32`: 0 but for grouped convolutions.
    pub(crate) x_start: usize,
}

/// Output pixels; where they follow each other without a border, a row is any number of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixels {
    /// Rows.
    pub(crate) height: usize,
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Pixels in the last row, at most `width`.
    pub(crate) last_width: usize,
}

/// Where the rows of pixels are in one image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines {
    /// The first pixel.
    pub(crate) origin: usize,
    /// From one row to the next.
    pub(crate) line: usize,
    /// Length of the image.
    pub(crate) length: usize,
}

/// In which order the work is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskSize {
    pub(crate) images: usize,
    pub(crate) rows: usize,
    /// Groups of output blocks.
    pub(crate) groups: usize,
}

impl Order {
    /// All at once.
    pub(crate) const WHOLE: Self = Self {
        chunk_blocks: usize::MAX,
        part_blocks: usize::MAX,
        task: TaskSize {
            images: 1,
            rows: 1,
            groups: 1,
        },
    };
}

impl Pixels {
    /// All of them.
    pub(crate) fn count(&self) -> usize {
        (self.height - 1) * self.width + self.last_width
    }

    /// From the first pixel to the one that is furthest from it.
    fn reach(&self, line: usize, step: usize) -> usize {
        let last = (self.height - 1) * line + (self.last_width - 1) * step;
        // The row before the last one may be wider.
        let before = match self.height {
            1 => 0,
            height => (height - 2) * line + (self.width - 1) * step,
        };
        last.max(before)
    }
}

impl Specification {
    /// Blocks of a part where so many images share its weights: fewer than planned leave room for more.
    pub(super) fn part_blocks(&self, images: usize) -> usize {
        let Order {
            part_blocks, task, ..
        } = self.order;
        part_blocks.saturating_mul((task.images / images).max(1))
    }

    /// Output blocks.
    fn blocks(&self) -> usize {
        self.groups.last().map_or(0, |last| last.first + last.blocks)
    }

    /// Numbers come from shapes, which `Shape::MAX_ELEMENTS` bounds, so that no sum overflows.
    ///
    /// # Panics
    /// Where a tile would read or write outside of its image, of its weights or of its bias, or where two results would
    /// be in one place: a mistake in this crate, found when a plan is made and not when it runs.
    pub(super) fn check(&self) {
        self.check_order();
        self.check_groups();
        self.check_input();
        self.check_weights();
        self.check_output();
        self.check_residual();
    }

    fn check_order(&self) {
        let Pixels {
            height,
            width,
            last_width,
        } = self.pixels;
        assert!((1..=width).contains(&last_width) && height > 0);
        let Order {
            chunk_blocks,
            part_blocks,
            task,
        } = self.order;
        assert!(chunk_blocks > 0 && part_blocks > 0);
        assert!(task.images > 0 && task.rows > 0 && task.groups > 0);
        // Sums that are not complete are kept in the output, whose pixels have to follow each other then.
        assert!(
            chunk_blocks.min(part_blocks) >= self.tile.blocks
                || self.tile.y_step == LANES && self.tile.bytes.is_none(),
            "sums cannot be kept"
        );
    }

    fn check_groups(&self) {
        let mut blocks = 0;
        for group in &self.groups {
            assert_eq!(group.first, blocks, "groups do not follow each other");
            assert!((1..=4).contains(&group.blocks));
            blocks += group.blocks;
        }
    }

    fn check_input(&self) {
        let tile = &self.tile;
        let last_channel = if tile.blocks > 1 {
            tile.channels.max(tile.last_channels)
        } else {
            tile.last_channels
        };
        let reach = self.x.origin
            + self.pixels.reach(self.x.line, tile.x_step)
            + (tile.blocks - 1) * tile.x_block
            + (tile.rows - 1) * tile.x_row
            + (tile.columns - 1) * tile.x_column
            + last_channel;
        let start = self.groups.iter().map(|group| group.x_start).max();
        assert!(
            start.unwrap_or(0) + reach <= self.x.length,
            "a tile reads beyond its input"
        );
    }

    fn check_weights(&self) {
        let tile = &self.tile;
        let terms = ((tile.blocks - 1) * tile.channels + tile.last_channels) * tile.rows * tile.columns;
        assert!(tile.w_block >= terms * LANES, "weights of blocks overlap");
        assert!(
            self.blocks() * tile.w_block <= self.weights.len(),
            "a tile reads beyond its weights"
        );
        assert!(
            self.blocks() * self.tile.bias_block() <= self.bias.len(),
            "a tile reads beyond its bias"
        );
    }

    fn check_output(&self) {
        let (tile, pixels) = (&self.tile, &self.pixels);
        let last = self.blocks().saturating_sub(1);
        let reach =
            self.y.origin + pixels.reach(self.y.line, tile.y_step) + last * tile.y_block + tile.y_pixel();
        assert!(reach <= self.y.length, "a tile writes beyond its output");
        assert!(self.results_are_apart(), "two results are in one place");
    }

    /// Whether each distance in the output is at least as long as what lies within it: the pixels of a block within the
    /// distance of blocks, or the blocks of a pixel within that of pixels.
    fn results_are_apart(&self) -> bool {
        let (tile, pixels) = (&self.tile, &self.pixels);
        let others = self.blocks().saturating_sub(1);
        let rows_hold = |pixel: usize| {
            let row = (pixels.width - 1) * tile.y_step + pixel;
            (pixels.width == 1 || tile.y_step >= pixel) && (pixels.height == 1 || self.y.line >= row)
        };
        let pixel = tile.y_pixel();
        let plane = pixels.reach(self.y.line, tile.y_step) + pixel;
        let holds = |block: usize, pixel: usize| (others == 0 || tile.y_block >= block) && rows_hold(pixel);
        holds(plane, pixel) || holds(pixel, others * tile.y_block + pixel)
    }

    fn adds_residual(&self) -> bool {
        match (&self.staged, &self.tile.bytes) {
            (Some(staged), _) => staged.stages.adds_residual(),
            (None, Some(end)) => end.result == ByteResult::BytesAndResidual,
            (None, None) => self.stages.adds_residual(),
        }
    }

    fn check_residual(&self) {
        let Some(residual) = &self.residual else {
            assert!(!self.adds_residual(), "there is no residual to add");
            return;
        };
        let last = self.blocks().saturating_sub(1);
        let reach = self.pixels.reach(residual.line, self.tile.r_step());
        assert!(
            residual.origin + reach + last * self.tile.r_block + self.tile.r_step() <= residual.length,
            "a tile reads beyond the residual"
        );
    }
}

#[cfg(test)]
mod tests;
