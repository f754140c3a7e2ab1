//! What a step needs to find its values: the arena of the run, and the caller's slices.

use std::marker::PhantomData;
use std::ops::Range;

use super::super::storage::{Part, Place};
use crate::memory::{Layout, View, ViewMut};
use crate::simd::Isa;

/// Where a buffer is in the arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BufferSlot {
    /// From the arena's start.
    pub(crate) offset: usize,
    /// From one image to the next.
    pub(crate) image: usize,
    pub(crate) layout: Layout,
    /// Whether the buffer holds the images of one pass only, and not of the whole chunk.
    pub(crate) is_local: bool,
}

/// Memory that a thread has for itself during a task, and memory that all threads share during a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scratch {
    pub(crate) own: *mut f32,
    pub(crate) own_length: usize,
    pub(crate) shared: *mut f32,
}

/// The images that a step works on, and where everything is. Threads that work on the same images share it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) isa: Isa,
    pub(crate) threads: usize,
    /// The start of the arena, which is as long as the plan's buffers need.
    pub(crate) arena: *mut f32,
    pub(crate) buffers: &'a [BufferSlot],
    /// The first image of the chunk, in the caller's batch.
    pub(crate) chunk: usize,
    /// The images of this pass, counted from the chunk's first one.
    pub(crate) pass: (usize, usize),
    pub(crate) inputs: &'a [&'a [f32]],
    /// The start of each output and its length for one image.
    pub(crate) outputs: &'a [(*mut f32, usize)],
    pub(crate) data: PhantomData<&'a mut [f32]>,
}

// SAFETY: steps write different parts of the arena and of the outputs in each task, and read only what earlier
// steps wrote; the executor has all tasks of a step done before the next step starts.
unsafe impl Send for Context<'_> {}
// SAFETY: as above.
unsafe impl Sync for Context<'_> {}

impl Context<'_> {
    /// Images of this pass.
    pub(crate) fn images(&self) -> usize {
        self.pass.1
    }

    /// Index in the caller's batch of an image of this pass.
    pub(crate) fn batch_index(&self, image: usize) -> usize {
        self.chunk + self.pass.0 + image
    }

    fn start(&self, part: &Part, image: usize) -> *mut f32 {
        let slot = &self.buffers[part.buffer];
        let image = if slot.is_local { image } else { self.pass.0 + image };
        let offset = slot.offset + image * slot.image + part.block * slot.layout.block();
        // SAFETY: the arena has room for each buffer's images; blocks are inside of the buffer.
        unsafe { self.arena.add(offset) }
    }

    /// From a value of one image of the pass to that of the next; 0 for constants, which all images share.
    pub(crate) fn image_distance(&self, place: &Place) -> usize {
        match place {
            Place::Arena(part) => self.part_distance(part),
            Place::Constant(..) => 0,
        }
    }

    /// From a value of one image of the pass to that of the next.
    pub(crate) fn part_distance(&self, part: &Part) -> usize {
        self.buffers[part.buffer].image
    }

    /// A value that an earlier step has computed.
    pub(crate) fn read(&self, place: &Place, image: usize) -> View<'_> {
        match place {
            Place::Arena(part) => self.read_part(part, image),
            // SAFETY: the constant is as long as its layout.
            Place::Constant(layout, data) => unsafe { View::new(data.as_ptr(), *layout) },
        }
    }

    /// A value that an earlier step has computed.
    pub(crate) fn read_part(&self, part: &Part, image: usize) -> View<'_> {
        // SAFETY: the value's blocks are inside of the arena, see `start`.
        unsafe { View::new(self.start(part, image), part.layout) }
    }

    /// A value that this step computes. Each task writes its own part of it.
    pub(crate) fn write(&self, part: &Part, image: usize) -> ViewMut<'_> {
        // SAFETY: the value's blocks are inside of the arena, see `start`; tasks write different parts.
        unsafe { ViewMut::new(self.start(part, image), part.layout) }
    }

    /// One image of a caller's input.
    pub(crate) fn input(&self, index: usize, length: usize, image: usize) -> &[f32] {
        &self.inputs[index][self.batch_index(image) * length..][..length]
    }

    /// One image of a caller's output.
    pub(crate) fn output(&self, index: usize, image: usize) -> *mut f32 {
        let (start, length) = self.outputs[index];
        // SAFETY: the output is as long as the batch, which `Plan::run` has checked.
        unsafe { start.add(self.batch_index(image) * length) }
    }
}

/// One of so many near-equal parts of `count` items.
pub(crate) fn part_of(count: usize, parts: usize, part: usize) -> Range<usize> {
    count * part / parts..count * (part + 1) / parts
}

/// How many parts a value's `units` (blocks, rows or positions) are cut into such that a part is worth a task, where a
/// vector takes `cost` times as long as reading, adding and writing one.
pub(super) fn plane_parts(units: usize, layout: &Layout, cost: usize, threads: usize) -> usize {
    /// Vectors that are worth the wait for a thread: some microseconds. Miri's small values are to be shared as well.
    const WORTH: usize = if cfg!(miri) { 4 } else { 4096 };
    if threads == 1 {
        return 1;
    }
    let vectors = layout.blocks() * layout.height * layout.width;
    (vectors * cost / WORTH).clamp(1, units).min(4 * threads)
}

/// Images and parts of a step whose tasks are parts of images: `(image, part)` of a task.
pub(super) fn split_task(task: usize, parts: usize) -> (usize, usize) {
    (task / parts, task % parts)
}
