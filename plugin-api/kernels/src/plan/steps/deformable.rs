//! The step that runs deformable attention, some queries a task.

use super::{
    super::storage::{Part, Place},
    Step, Task,
    cut::{part_of, plane_parts, split_task},
};
use crate::{kernels::deformable::PointAttention, memory::Region};

/// Attention of all queries.
#[derive(Debug)]
pub(crate) struct DeformableStep {
    pub(crate) attention: PointAttention,
    /// Values, offsets, scores, boxes.
    pub(crate) inputs: [Place; 4],
    pub(crate) y: Part,
}

impl DeformableStep {
    fn parts(&self, threads: usize) -> usize {
        let layout = &self.y.layout;
        plane_parts(layout.width, layout, self.attention.cost(), threads)
    }
}

impl Step for DeformableStep {
    fn tasks(&self, images: usize, threads: usize, _: usize) -> usize {
        images * self.parts(threads)
    }

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let (isa, threads) = (task.context().isa, task.context().threads);
        let parts = self.parts(threads);
        let (image, part) = split_task(task.index(), parts);
        let operands = [0, 1, 2, 3].map(|index| task.read(&self.inputs[index], image));
        let layout = &self.y.layout;
        let region = Region {
            columns: part_of(layout.width, parts, part),
            ..Region::whole(layout)
        };
        // SAFETY: each task has queries of its own.
        let y = unsafe { task.write(image, region) };
        self.attention.run(isa, operands, y);
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        self.inputs.iter().filter_map(Place::part).collect()
    }
}
