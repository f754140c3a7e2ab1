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
use crate::memory::{View, ViewMut};
use crate::simd::Isa;

/// What is computed.
#[derive(Debug)]
pub(crate) enum BlockWork {
    /// A depthwise convolution; the second operand is its residual.
    Depthwise(DepthwiseConvolution),
    /// Element by element.
    Elementwise(Elementwise),
    /// Windows reduced to one value.
    Pool(Reduction, [Windows; 2]),
    /// Interpolation.
    Upsample(Upsampling),
    /// Over the channels of each position.
    Normalise(Normalisation),
    /// Channel `c` of the result is channel `sources[c]` of the operand.
    Channels(Vec<usize>),
    /// All channels of the operand, as the result's channels from `start` on.
    ChannelsInto { start: usize },
    /// Positions from `from` on, written from `to` on.
    Positions { from: usize, to: usize, count: usize },
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
            // Channels of one block may come from several tasks' blocks otherwise.
            BlockWork::Channels(_) | BlockWork::ChannelsInto { .. } => 1,
            BlockWork::Normalise(_) => plane_parts(layout.height * layout.width, layout, threads),
            _ => plane_parts(layout.blocks(), layout, threads),
        }
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
        let y = context.write(&self.y, image);
        let layout = self.y.layout;
        if let BlockWork::Normalise(normalisation) = &self.work {
            normalise(
                normalisation,
                context.isa,
                part_of(layout.height * layout.width, parts, part),
                x,
                y,
            );
            return;
        }
        self.run_blocks(context.isa, part_of(layout.blocks(), parts, part), x, z, y);
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

impl BlockStep {
    fn run_blocks(&self, isa: Isa, blocks: Range<usize>, x: View, z: Option<View>, mut y: ViewMut) {
        let rows = 0..self.y.layout.height;
        match &self.work {
            BlockWork::Depthwise(convolution) => convolution.run(isa, blocks, rows, x, z, y),
            BlockWork::Elementwise(elementwise) => elementwise.run(isa, blocks, rows, x, z, y),
            BlockWork::Pool(reduction, windows) => pool(isa, *reduction, *windows, blocks, rows, x, y),
            BlockWork::Upsample(upsampling) => upsampling.run(isa, blocks, rows, x, y),
            BlockWork::Positions { from, to, count } => copy_positions(x, *from, y, *to, *count, blocks),
            BlockWork::Channels(sources) => {
                copy_channels(x, 0..sources.len(), |channel| sources[channel], rows, &mut y);
                clear_unused_lanes(&mut y);
            }
            BlockWork::ChannelsInto { start } => {
                let end = start + x.layout().channels;
                copy_channels(x, *start..end, |channel| channel - start, rows, &mut y);
                if end == y.layout().channels {
                    clear_unused_lanes(&mut y);
                }
            }
            BlockWork::Normalise(_) => {}
        }
    }
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
