//! Where everything is that steps read and write: the arena of the run, and the caller's slices.

use super::super::storage::Part;
use crate::{
    memory::{Layout, SharedMut},
    simd::Isa,
};
use std::ops::Range;

/// Where a buffer is in the arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferSlot {
    /// From the arena's start.
    pub(crate) offset: usize,
    /// Of all images.
    pub(crate) length: usize,
    /// From one image to the next.
    pub(crate) image: usize,
    pub(crate) layout: Layout,
    /// Whether the buffer holds the images of one pass only, and not of the whole chunk.
    pub(crate) is_local: bool,
}

/// One of the caller's outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output<'a> {
    /// Of all images of the batch.
    pub(crate) values: SharedMut<'a>,
    /// Length of one image.
    pub(crate) image: usize,
}

/// The images that a step works on, and where everything is. Threads that work on the same images share it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) isa: Isa,
    pub(crate) threads: usize,
    pub(crate) arena: SharedMut<'a>,
    pub(crate) buffers: &'a [BufferSlot],
    /// The first image of the chunk, in the caller's batch.
    pub(crate) chunk: usize,
    /// The images of this pass, counted from the chunk's first one.
    pub(crate) pass: (usize, usize),
    pub(crate) inputs: &'a [&'a [f32]],
    pub(crate) outputs: &'a [Output<'a>],
}

impl<'a> Context<'a> {
    /// Images of this pass.
    pub(crate) fn images(&self) -> usize {
        self.pass.1
    }

    /// Index in the caller's batch of an image of this pass.
    fn batch_index(&self, image: usize) -> usize {
        self.chunk + self.pass.0 + image
    }

    /// A value of one image of the pass.
    pub(crate) fn values(&self, part: &Part, image: usize) -> SharedMut<'a> {
        self.arena.part(self.start(part, image), part.layout.image())
    }

    /// A value of the first image of the pass, and what follows it in its buffer: the other images.
    pub(super) fn values_of_all(&self, part: &Part) -> SharedMut<'a> {
        let start = self.start(part, 0);
        let slot = &self.buffers[part.buffer];
        self.arena.part(start, slot.offset + slot.length - start)
    }

    /// From a value of one image of the pass to that of the next.
    pub(super) fn distance(&self, part: &Part) -> usize {
        self.buffers[part.buffer].image
    }

    fn start(&self, part: &Part, image: usize) -> usize {
        let slot = &self.buffers[part.buffer];
        let image = if slot.is_local { image } else { self.pass.0 + image };
        slot.offset + image * slot.image + part.block * slot.layout.block()
    }

    /// Whether two values have memory in common.
    pub(super) fn overlap(&self, a: &Part, b: &Part) -> bool {
        if a.buffer == b.buffer {
            let blocks = |part: &Part| part.block..part.block + part.layout.blocks();
            return meet(&blocks(a), &blocks(b));
        }
        let extent = |part: &Part| {
            let slot = &self.buffers[part.buffer];
            slot.offset..slot.offset + slot.length
        };
        meet(&extent(a), &extent(b))
    }

    /// One image of a caller's input.
    pub(super) fn input(&self, index: usize, length: usize, image: usize) -> &'a [f32] {
        &self.inputs[index][self.batch_index(image) * length..][..length]
    }

    /// All images of the pass of a caller's input.
    pub(super) fn input_of_all(&self, index: usize, length: usize) -> &'a [f32] {
        &self.inputs[index][self.batch_index(0) * length..][..self.images() * length]
    }

    /// One image of a caller's output.
    pub(super) fn output(&self, index: usize, image: usize) -> SharedMut<'a> {
        let Output {
            values,
            image: length,
        } = self.outputs[index];
        values.part(self.batch_index(image) * length, length)
    }
}

fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}
