//! Where each value lives: parts of larger values without a copy, halos, and memory used again by values
//! that do not live at the same time.

use super::fuse::Layer;
use crate::{
    graph::{Graph, Op, Shape},
    memory::{AlignedBuffer, Element, Halo, Layout},
    simd::LANES,
};
use std::sync::Arc;

/// Where a value is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In the arena.
    Arena(Part),
    /// In the plan itself: the same for every image.
    Constant(Layout, Arc<AlignedBuffer>),
}

/// Blocks of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) buffer: usize,
    /// The first block.
    pub(super) block: usize,
    /// The value's own channels and size, with the buffer's halo.
    pub(super) layout: Layout,
}

impl Place {
    /// The part of the arena, if it is one.
    pub(super) fn part(&self) -> Option<Part> {
        match self {
            Self::Arena(part) => Some(*part),
            Self::Constant(..) => None,
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        match self {
            Self::Arena(part) => &part.layout,
            Self::Constant(layout, _) => layout,
        }
    }
}

/// How a value's storage follows from another one's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Storage {
    Own,
    /// Blocks of another value, from this one on.
    Within(usize, usize),
}

/// The places of all values; `None` for nodes that are part of another layer.
pub(super) struct Places {
    pub(super) places: Vec<Option<Place>>,
    /// Full layout of each buffer.
    pub(super) buffers: Vec<Layout>,
}

/// Gives each value that a layer computes a place. `halos` is what the readers of each value need around it;
/// `skipped` are inputs that are not needed in the blocked layout, `elements` what values are kept as.
pub(super) fn place(
    graph: &Graph,
    layers: &[Layer],
    halos: &[Halo],
    skipped: &[bool],
    elements: &[Element],
) -> Places {
    let mut resolver = Resolver {
        elements,
        storage: vec![Storage::Own; graph.nodes().len()],
    };
    resolver.slices(graph, layers);
    resolver.concats(graph, layers);
    let mut needed = vec![Halo::default(); graph.nodes().len()];
    for layer in layers {
        let root = resolver.root(layer.output).0;
        needed[root] = needed[root].union(halos[layer.output]);
    }
    resolver.reshapes(graph, layers, &mut needed);

    let mut buffer_of = vec![None; graph.nodes().len()];
    let mut buffers = Vec::new();
    let mut places = vec![None; graph.nodes().len()];
    for layer in layers {
        if let Op::Constant(weight) = &graph.nodes()[layer.node].op {
            let layout = Layout::new(graph.shapes()[layer.output], halos[layer.output]);
            let blocked = block_constant(weight.data(), graph.shapes()[layer.output], layout);
            places[layer.output] = Some(Place::Constant(layout, Arc::new(blocked)));
            continue;
        }
        if skipped[layer.output] {
            continue;
        }
        let (root, block) = resolver.root(layer.output);
        let buffer = *buffer_of[root].get_or_insert_with(|| {
            buffers.push(Layout::new(graph.shapes()[root], needed[root]).of(elements[root]));
            buffers.len() - 1
        });
        let layout = Layout::new(graph.shapes()[layer.output], needed[root]).of(elements[root]);
        places[layer.output] = Some(Place::Arena(Part {
            buffer,
            block,
            layout,
        }));
    }
    Places { places, buffers }
}

struct Resolver<'a> {
    elements: &'a [Element],
    storage: Vec<Storage>,
}

impl Resolver<'_> {
    /// The value that owns the memory of a value, and the value's first block in it.
    fn root(&self, value: usize) -> (usize, usize) {
        let (mut value, mut block) = (value, 0);
        while let Storage::Within(other, offset) = self.storage[value] {
            value = other;
            block += offset;
        }
        (value, block)
    }

    /// Whether one of two values can be a part of the other: not where it is a constant, which is elsewhere, nor of bytes,
    /// which only layers on bytes read.
    fn can_be_shared(&self, graph: &Graph, value: usize, other: usize) -> bool {
        let is_constant = matches!(graph.nodes()[value].op, Op::Constant(_));
        let is_bytes = matches!(self.elements[value], Element::Byte { .. });
        !is_constant && !is_bytes && self.elements[value] == self.elements[other]
    }

    /// A slice that starts with a block is a part of what it is cut from.
    fn slices(&mut self, graph: &Graph, layers: &[Layer]) {
        for layer in layers {
            if let Op::Slice { start, .. } = graph.nodes()[layer.node].op
                && start % LANES == 0
                && self.can_be_shared(graph, layer.inputs[0], layer.output)
            {
                self.storage[layer.output] = Storage::Within(layer.inputs[0], start / LANES);
            }
        }
    }

    /// Values that are concatenated at the start of a block are written to their place in the result. The last
    /// concatenation comes first, so that one can be a part of the next.
    fn concats(&mut self, graph: &Graph, layers: &[Layer]) {
        for layer in layers.iter().rev() {
            if !matches!(graph.nodes()[layer.node].op, Op::Concat) {
                continue;
            }
            let mut start = 0usize;
            for &operand in &layer.inputs {
                let (source, source_start) = match self.storage[operand] {
                    Storage::Within(source, block) => (source, block * LANES),
                    Storage::Own => (operand, 0),
                };
                if let Some(first) = start.checked_sub(source_start)
                    && first % LANES == 0
                    && self.storage[source] == Storage::Own
                    && self.can_be_shared(graph, source, layer.output)
                    && self.covers(graph, layer, source, first)
                {
                    self.storage[source] = Storage::Within(layer.output, first / LANES);
                }
                start += graph.shapes()[operand].channels();
            }
        }
    }

    /// Whether the result's channels from `first` on are exactly the channels of `source`: itself, or slices of
    /// it in their order.
    fn covers(&self, graph: &Graph, concat: &Layer, source: usize, first: usize) -> bool {
        let end = first + graph.shapes()[source].channels();
        let mut start = 0;
        let mut covered = 0;
        for &operand in &concat.inputs {
            let channels = graph.shapes()[operand].channels();
            let expected = match self.storage[operand] {
                Storage::Within(of, block) if of == source => Some(first + block * LANES),
                _ if operand == source => Some(first),
                _ => None,
            };
            if start >= first && start < end {
                if expected != Some(start) {
                    return false;
                }
                covered += channels;
            }
            start += channels;
        }
        // Lanes beyond the last channel of a source must not hold the next operand's channels.
        covered == end - first && (end.is_multiple_of(LANES) || end == start)
    }

    /// Maps without a halo are tokens without a copy, and the other way round; a map of 1x1 is a vector.
    fn reshapes(&mut self, graph: &Graph, layers: &[Layer], needed: &mut [Halo]) {
        for layer in layers {
            let source = layer.inputs.first().copied();
            let can_be_shared = |&source: &usize| self.can_be_shared(graph, source, layer.output);
            let Some(source) = source.filter(can_be_shared) else {
                continue;
            };
            let same_order = match graph.nodes()[layer.node].op {
                Op::ToTokens | Op::ToMap { .. } => true,
                Op::Flatten => graph.shapes()[source].positions() == 1,
                _ => false,
            };
            let root = self.root(source).0;
            let no_halo = needed[root] == Halo::default() && needed[layer.output] == Halo::default();
            if same_order && no_halo && self.storage[layer.output] == Storage::Own {
                self.storage[layer.output] = Storage::Within(source, 0);
            }
        }
    }
}

fn block_constant(data: &[f32], shape: Shape, layout: Layout) -> AlignedBuffer {
    let mut blocked = AlignedBuffer::zeroed(layout.image());
    for channel in 0..layout.channels {
        for position in 0..shape.positions() {
            let from = match shape {
                Shape::Map { .. } => channel * shape.positions() + position,
                _ => position * layout.channels + channel,
            };
            let (y, x) = (position / layout.width, position % layout.width);
            blocked[layout.at(channel / LANES, y, x) + channel % LANES] = data[from];
        }
    }
    blocked
}

/// A buffer's length and the steps between which it is in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    pub(super) length: usize,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Offsets for buffers such that those in use at the same time do not overlap, and the total length. The
/// largest ones are placed first, each at the lowest place that is free.
pub(super) fn pack(lifetimes: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lifetimes[index].length));
    let mut offsets = vec![0; lifetimes.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for index in order {
        let buffer = lifetimes[index];
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&other| lifetimes[other].first <= buffer.last && buffer.first <= lifetimes[other].last)
            .map(|&other| (offsets[other], offsets[other] + lifetimes[other].length))
            .collect();
        taken.sort_unstable();
        let mut start = 0;
        for (from, to) in taken {
            if start + buffer.length <= from {
                break;
            }
            start = start.max(to);
        }
        offsets[index] = start;
        total = total.max(start + buffer.length);
        placed.push(index);
    }
    (offsets, total)
}

#[cfg(test)]
mod tests;
