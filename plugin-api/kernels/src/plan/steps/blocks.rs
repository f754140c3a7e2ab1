//! Steps whose tasks are blocks of channels, or rows: everything that is neither a convolution nor attention.

use super::{
    super::storage::{Part, Place},
    Step, Task,
    cut::{part_of, plane_parts, split_task},
};
use crate::{
    graph::Function,
    kernels::{
        conversion::Conversion,
        depthwise::DepthwiseConvolution,
        elementwise::Elementwise,
        function,
        group::group_norm,
        heads::HeadWork,
        normalise::Normalisation,
        pooling::{Reduction, Windows, pool},
        rearrange::{copy_channels, copy_positions, take_tokens},
        response::response_norms,
        selection::{top_channels, top_tokens},
        upsampling::Upsampling,
        wide::WideConvolution,
        word_depthwise::WordDepthwise,
    },
    memory::{Region, View, ViewMut},
    simd::{Isa, LANES},
};
use std::{ops::Range, sync::Arc};

/// What is computed.
#[derive(Debug)]
pub(crate) enum BlockWork {
    /// Each row of each block on its own.
    Rows(RowWork),
    /// Over the channels of each position.
    Normalise(Normalisation),
    /// Over the channels of each head of each token.
    Heads(HeadWork),
    /// How strongly each channel responds over all tokens.
    ResponseNorms { epsilon: f32 },
    /// Of each element.
    Function(Function),
    /// Of groups of channels over all positions.
    GroupNorm { groups: usize, epsilon: f32 },
    /// Channel `c` of the result is channel `sources[c]` of the operand.
    Channels(Vec<usize>),
    /// All channels of the operand, as the result's last channels, from `start` on.
    ChannelsInto { start: usize },
    /// Tokens by their indices.
    Tokens(Arc<[usize]>),
    /// The tokens for which the second operand has the largest channels.
    TopTokens,
    /// The largest channels of each position.
    TopChannels,
    /// Positions from `from` on, written from `to` on.
    Positions { from: usize, to: usize, count: usize },
}

/// What is computed of each row of each block on its own.
#[derive(Debug)]
pub(crate) enum RowWork {
    /// A depthwise convolution; the second operand is its residual.
    Depthwise(DepthwiseConvolution),
    /// The same of bytes or bf16.
    WordDepthwise(WordDepthwise),
    /// Numbers to bytes or back.
    Convert(Conversion),
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
            // It is of a few numbers for each object.
            BlockWork::Function(_) => 1,
            // The order of the tokens is found once, and so is the mean of the norms.
            BlockWork::TopTokens | BlockWork::ResponseNorms { .. } | BlockWork::GroupNorm { .. } => 1,
            BlockWork::Positions { .. } | BlockWork::Tokens(_) => {
                plane_parts(layout.blocks(), layout, 1, threads)
            }
            BlockWork::Normalise(_) | BlockWork::Heads(_) | BlockWork::TopChannels => {
                plane_parts(layout.height * layout.width, layout, 1, threads)
            }
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

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let (isa, threads) = (task.context().isa, task.context().threads);
        let parts = self.parts(threads);
        let (image, part) = split_task(task.index(), parts);
        let x = task.read(&self.x, image);
        let z = self.z.as_ref().map(|place| task.read(place, image));
        let layout = &self.y.layout;
        let whole = Region::whole(layout);
        // SAFETY: each part has a region of its own.
        let write = |region| unsafe { task.write(image, region) };
        match &self.work {
            BlockWork::Normalise(_) | BlockWork::Heads(_) | BlockWork::TopChannels => {
                let positions = part_of(layout.height * layout.width, parts, part);
                for (row, columns) in parts_of_lines(positions, layout.width) {
                    let rows = row..row + 1;
                    let region = Region {
                        rows,
                        columns,
                        ..whole.clone()
                    };
                    match &self.work {
                        BlockWork::Normalise(normalisation) => normalisation.run(isa, x, write(region)),
                        BlockWork::Heads(work) => work.run(isa, x, write(region)),
                        _ => top_channels(x, write(region)),
                    }
                }
            }
            BlockWork::TopTokens => {
                // The graph has checked that there are two operands.
                if let Some(scores) = z {
                    top_tokens(x, scores, write(whole));
                }
            }
            BlockWork::GroupNorm { groups, epsilon } => group_norm(isa, *groups, *epsilon, x, write(whole)),
            BlockWork::Function(function) => function::apply(isa, *function, x, write(whole)),
            BlockWork::ResponseNorms { epsilon } => response_norms(isa, *epsilon, x, write(whole)),
            BlockWork::Channels(sources) => {
                copy_channels(x, 0, |channel| sources[channel], &mut write(whole));
            }
            BlockWork::ChannelsInto { start } => {
                copy_channels(x, *start, |channel| channel - start, &mut write(whole));
            }
            BlockWork::Tokens(indices) => {
                let blocks = part_of(layout.blocks(), parts, part);
                take_tokens(x, indices, write(Region { blocks, ..whole }));
            }
            BlockWork::Positions { from, to, count } => {
                let blocks = part_of(layout.blocks(), parts, part);
                let region = Region { blocks, ..whole };
                copy_positions(x, *from, write(region), *to, *count);
            }
            BlockWork::Rows(work) if self.goes_by_rows(threads) => {
                let rows = part_of(layout.height, parts, part);
                work.run(isa, x, z, write(Region { rows, ..whole }));
            }
            BlockWork::Rows(work) => {
                let rows = part_of(layout.blocks() * layout.height, parts, part);
                for (block, rows) in parts_of_lines(rows, layout.height) {
                    let blocks = block..block + 1;
                    let region = Region {
                        blocks,
                        rows,
                        ..whole.clone()
                    };
                    work.run(isa, x, z, write(region));
                }
            }
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        let places = std::iter::once(&self.x).chain(&self.z);
        places.filter_map(Place::part).collect()
    }
}

impl RowWork {
    /// About how long the computation of a vector of results takes, where that of a sum takes 1.
    fn cost(&self) -> usize {
        match self {
            Self::Depthwise(convolution) => convolution.terms().div_ceil(2),
            Self::WordDepthwise(convolution) => convolution.terms().div_ceil(2),
            Self::Wide(convolution) => convolution.terms(),
            Self::Convert(_) | Self::Elementwise(_) | Self::Pool(..) | Self::Upsample(_) => 1,
        }
    }

    /// Computes the rows of a region.
    fn run(&self, isa: Isa, x: View, z: Option<View>, y: ViewMut) {
        match self {
            Self::Depthwise(convolution) => convolution.run(isa, x, z, y),
            Self::WordDepthwise(convolution) => convolution.run(isa, x, z, y),
            Self::Convert(conversion) => conversion.run(isa, x, y),
            Self::Wide(convolution) => convolution.run(isa, x, z, y),
            Self::Elementwise(elementwise) => elementwise.run(isa, x, z, y),
            Self::Pool(reduction, windows) => pool(isa, *reduction, *windows, x, y),
            Self::Upsample(upsampling) => upsampling.run(isa, x, y),
        }
    }
}

/// Cuts a range of places, counted over all lines, into the lines and their own places.
fn parts_of_lines(places: Range<usize>, length: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut start = places.start;
    std::iter::from_fn(move || {
        let line = start / length;
        let end = places.end.min((line + 1) * length);
        let part = (start < places.end).then(|| (line, start % length..end - line * length));
        start = end;
        part
    })
}
