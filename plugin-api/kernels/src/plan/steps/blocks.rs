//! Steps whose tasks are blocks of channels, or rows: everything that is neither a convolution nor attention.

use std::ops::Range;

use super::super::storage::{Part, Place};
use super::context::{part_of, plane_parts, split_task};
use super::{Context, Scratch, Step};
use crate::kernels::depthwise::DepthwiseConvolution;
use crate::kernels::elementwise::Elementwise;
use crate::kernels::normalise::Normalisation;
use crate::kernels::pooling::{Reduction, Windows, pool};
use crate::kernels::rearrange::{clear_unused_lanes, copy_channels, copy_positions};
use crate::kernels::upsampling::Upsampling;
use crate::kernels::wide::WideConvolution;
use crate::memory::{View, ViewMut};
use crate::simd::{Isa, LANES};

/// What is computed.
#[derive(Debug)]
pub(crate) enum BlockWork {
    /// Each row of each block on its own.
    Rows(RowWork),
    /// Over the channels of each position.
    Normalise(Normalisation),
    /// Channel `c` of the result is channel `sources[c]` of the operand.
    Channels(Vec<usize>),
    /// All channels of the operand, as the result's channels from `start` on.
    ChannelsInto { start: usize },
    /// Positions from `from` on, written from `to` on.
    Positions { from: usize, to: usize, count: usize },
}

/// What is computed of each row of each block on its own.
#[derive(Debug)]
pub(crate) enum RowWork {
    /// A depthwise convolution; the second operand is its residual.
    Depthwise(DepthwiseConvolution),
    /// A convolution with sums of `f64`; the second operand is its residual.
    Wide(Box<WideConvolution>),
    /// Element by element.
    Elementwise(Elementwise),
    /// Windows reduced to one value.
    Pool(Reduction, [Windows; 2]),
    /// Interpolation.
    Upsample(Upsampling),
}

/// Work on one or two operands.
#[derive(Debug)]
pub(crate) struct BlockStep {
    pub(crate) work: BlockWork,
    pub(crate) x: Place,
    pub(crate) z: Option<Place>,
    pub(crate) y: Part,
}

impl BlockStep {
    fn parts(&self, threads: usize) -> usize {
        let layout = &self.y.layout;
        match self.work {
            // Several tasks would write lanes of the same block.
            BlockWork::Channels(_) | BlockWork::ChannelsInto { .. } => 1,
            BlockWork::Positions { .. } => plane_parts(layout.blocks(), layout, 1, threads),
            BlockWork::Normalise(_) => plane_parts(layout.height * layout.width, layout, 1, threads),
            BlockWork::Rows(ref work) => {
                let units = if self.goes_by_rows(threads) {
                    layout.height
                } else {
                    layout.blocks() * layout.height
                };
                let x = self.x.layout();
                let reads = x.height * x.width / (layout.height * layout.width);
                plane_parts(units, layout, work.cost().max(reads), threads)
            }
        }
    }

    /// Whether a task has some rows of all blocks and not all rows of some blocks: as convolutions do (see
    /// `DirectConvolution::tasks`), so that a thread finds what it wrote itself.
    fn goes_by_rows(&self, threads: usize) -> bool {
        let layout = &self.y.layout;
        layout.height >= 2 * threads && layout.height * layout.width >= layout.blocks() * LANES
    }
}

impl Step for BlockStep {
    fn tasks(&self, images: usize, threads: usize, _: usize) -> usize {
        images * self.parts(threads)
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, task: usize) {
        let parts = self.parts(context.threads);
        let (image, part) = split_task(task, parts);
        let x = context.read(&self.x, image);
        let z = self.z.as_ref().map(|place| context.read(place, image));
        let mut y = context.write(&self.y, image);
        let layout = self.y.layout;
        match &self.work {
            BlockWork::Normalise(normalisation) => {
                let positions = part_of(layout.height * layout.width, parts, part);
                normalise(normalisation, context.isa, positions, x, y);
            }
            BlockWork::Channels(sources) => {
                copy_channels(x, 0..sources.len(), |channel| sources[channel], &mut y);
                clear_unused_lanes(&mut y);
            }
            BlockWork::ChannelsInto { start } => {
                let end = start + x.layout().channels;
                copy_channels(x, *start..end, |channel| channel - start, &mut y);
                if end == layout.channels {
                    clear_unused_lanes(&mut y);
                }
            }
            BlockWork::Positions { from, to, count } => {
                copy_positions(x, *from, y, *to, *count, part_of(layout.blocks(), parts, part));
            }
            BlockWork::Rows(work) if self.goes_by_rows(context.threads) => {
                let rows = part_of(layout.height, parts, part);
                for block in 0..layout.blocks() {
                    work.run(context.isa, block, rows.clone(), x, z, y);
                }
            }
            BlockWork::Rows(work) => {
                let rows = part_of(layout.blocks() * layout.height, parts, part);
                for (block, rows) in rows_of_blocks(rows, layout.height) {
                    work.run(context.isa, block, rows, x, z, y);
                }
            }
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        let arena = |place: &Place| match place {
            Place::Arena(part) => Some(*part),
            Place::Constant(..) => None,
        };
        arena(&self.x)
            .into_iter()
            .chain(self.z.as_ref().and_then(arena))
            .collect()
    }
}

impl RowWork {
    /// About how long the computation of a vector of results takes, where that of a sum takes 1.
    fn cost(&self) -> usize {
        match self {
            Self::Depthwise(convolution) => convolution.windows.taps().div_ceil(2),
            Self::Wide(convolution) => convolution.terms(),
            Self::Elementwise(_) | Self::Pool(..) | Self::Upsample(_) => 1,
        }
    }

    fn run(&self, isa: Isa, block: usize, rows: Range<usize>, x: View, z: Option<View>, y: ViewMut) {
        let blocks = block..block + 1;
        match self {
            Self::Depthwise(convolution) => convolution.run(isa, blocks, rows, x, z, y),
            Self::Wide(convolution) => convolution.run(isa, block, rows, x, z, y),
            Self::Elementwise(elementwise) => elementwise.run(isa, blocks, rows, x, z, y),
            Self::Pool(reduction, windows) => pool(isa, *reduction, *windows, blocks, rows, x, y),
            Self::Upsample(upsampling) => upsampling.run(isa, blocks, rows, x, y),
        }
    }
}

/// Cuts a range of rows, counted over all blocks, into the blocks and their own rows.
fn rows_of_blocks(rows: Range<usize>, height: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut start = rows.start;
    std::iter::from_fn(move || {
        let block = start / height;
        let end = rows.end.min((block + 1) * height);
        let part = (start < rows.end).then(|| (block, start % height..end - block * height));
        start = end;
        part
    })
}

/// Normalises a range of positions, which may start and end within rows.
fn normalise(normalisation: &Normalisation, isa: Isa, positions: Range<usize>, x: View, y: ViewMut) {
    let width = y.layout().width;
    let mut start = positions.start;
    while start < positions.end {
        let row = start / width;
        let end = positions.end.min((row + 1) * width);
        normalisation.run(isa, row..row + 1, start % width..end - row * width, x, y);
        start = end;
    }
}
