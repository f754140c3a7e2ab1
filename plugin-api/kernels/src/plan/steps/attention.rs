//! The step that runs attention, a head a task.

use super::super::storage::{Part, Place};
use super::context::split_task;
use super::{Context, Scratch, Step};
use crate::kernels::attention::HeadAttention;
use crate::kernels::rearrange::clear_unused_lanes;
use crate::simd::LANES;

/// Attention of all heads.
#[derive(Debug)]
pub(crate) struct AttentionStep {
    pub(crate) head: HeadAttention,
    pub(crate) heads: usize,
    /// Queries, keys, values.
    pub(crate) inputs: [Place; 3],
    pub(crate) y: Part,
}

impl AttentionStep {
    /// Heads whose results share a block of channels are one task.
    fn parts(&self) -> usize {
        if self.head.value_features.is_multiple_of(LANES) {
            self.heads
        } else {
            1
        }
    }
}

impl Step for AttentionStep {
    fn tasks(&self, images: usize, _: usize, _: usize) -> usize {
        images * self.parts()
    }

    fn run(&self, context: &Context, scratch: Scratch, _: usize, task: usize) {
        let (image, part) = split_task(task, self.parts());
        let inputs = [0, 1, 2].map(|index| context.read(&self.inputs[index], image));
        let mut y = context.write(&self.y, image);
        // SAFETY: each thread's memory is as long as `scratch` asks for, and this task has it for itself.
        let scratch = unsafe { std::slice::from_raw_parts_mut(scratch.own, scratch.own_length) };
        if self.parts() == self.heads {
            self.head.run(context.isa, part, inputs, y, scratch);
            return;
        }
        clear_unused_lanes(&mut y);
        for head in 0..self.heads {
            self.head.run(context.isa, head, inputs, y, scratch);
        }
    }

    fn scratch(&self) -> usize {
        self.head.scratch()
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        let arena = |place: &Place| match place {
            Place::Arena(part) => Some(*part),
            Place::Constant(..) => None,
        };
        self.inputs.iter().filter_map(arena).collect()
    }
}
