//! The step that runs attention, a head a task.

use super::{
    super::storage::{Part, Place},
    Step, Task,
    cut::split_task,
};
use crate::{
    kernels::{
        attention::{AttentionBias, HeadAttention, Window},
        rearrange::clear_unused_lanes,
    },
    memory::{Region, View, ViewMut},
    simd::{Isa, LANES},
};

/// Attention of all heads.
#[derive(Debug)]
pub(crate) struct AttentionStep {
    pub(crate) head: HeadAttention,
    pub(crate) heads: usize,
    /// Equal parts of the sequences that do not see each other.
    pub(crate) windows: usize,
    /// Added to the scores.
    pub(crate) bias: Option<AttentionBias>,
    /// Queries, keys, values.
    pub(crate) inputs: [Place; 3],
    pub(crate) y: Part,
}

impl AttentionStep {
    /// Whether each head has blocks of channels of its own.
    fn heads_are_apart(&self) -> bool {
        self.head.value_features().is_multiple_of(LANES)
    }

    /// Heads whose results share a block of channels are one task.
    fn parts(&self) -> usize {
        if self.heads_are_apart() { self.heads } else { 1 }
    }

    fn run_head(&self, isa: Isa, head: usize, inputs: [View; 3], y: &mut ViewMut, own: &mut [f32]) {
        for index in 0..self.windows {
            let bias = self.bias.as_ref().map(|bias| bias.of(index, head, &self.head));
            self.head.run(isa, head, Window { index, bias }, inputs, y, own);
        }
    }
}

impl Step for AttentionStep {
    fn tasks(&self, images: usize, _: usize, _: usize) -> usize {
        images * self.parts()
    }

    unsafe fn run(&self, task: &Task<'_>, own: &mut [f32]) {
        let (image, part) = split_task(task.index(), self.parts());
        let isa = task.context().isa;
        let inputs = [0, 1, 2].map(|index| task.read(&self.inputs[index], image));
        let whole = Region::whole(&self.y.layout);
        if self.heads_are_apart() {
            let blocks = self.head.value_features() / LANES;
            let region = Region {
                blocks: part * blocks..(part + 1) * blocks,
                ..whole
            };
            // SAFETY: each task has the blocks of its head.
            let mut y = unsafe { task.write(image, region) };
            self.run_head(isa, part, inputs, &mut y, own);
            return;
        }
        // SAFETY: there is one task for each image.
        let mut y = unsafe { task.write(image, whole) };
        clear_unused_lanes(&mut y);
        for head in 0..self.heads {
            self.run_head(isa, head, inputs, &mut y, own);
        }
    }

    fn scratch(&self) -> usize {
        self.head.scratch()
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        self.inputs.iter().filter_map(Place::part).collect()
    }
}
