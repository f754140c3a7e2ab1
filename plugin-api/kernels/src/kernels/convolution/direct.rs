//! A convolution that has been checked, and its tasks.

use super::{
    images::Images,
    share::Share,
    specification::{Specification, TaskSize},
};
use crate::simd::Isa;

/// A convolution ready to run: a [`Specification`] of which no tile reads or writes outside of its image or of its
/// weights, and no two tiles write the same value.
#[derive(Debug)]
pub(crate) struct DirectConvolution(Specification);

impl DirectConvolution {
    /// # Panics
    /// Where the specification does not keep what this type promises: a mistake in this crate, found when a plan is made
    /// and not when it runs.
    pub(crate) fn new(specification: Specification) -> Self {
        specification.check();
        Self(specification)
    }

    /// Length of one image of the input.
    pub(crate) fn input_length(&self) -> usize {
        self.0.x.length
    }

    /// Tasks that so many threads may take in any order.
    pub(crate) fn tasks(&self, images: usize, threads: usize) -> usize {
        self.task_counts(images, self.task_size(images, threads))
            .iter()
            .product()
    }

    /// How many tasks there are along rows, groups and images.
    fn task_counts(&self, images: usize, size: TaskSize) -> [usize; 3] {
        [
            self.0.pixels.height.div_ceil(size.rows),
            self.0.groups.len().div_ceil(size.groups),
            images.div_ceil(size.images),
        ]
    }

    /// The size of tasks such that so many threads are done at about the same time.
    fn task_size(&self, images: usize, threads: usize) -> TaskSize {
        /// Tasks of a thread.
        const TASKS: usize = 4;
        let layer = &self.0;
        let mut size = layer.order.task;
        if threads == 1 {
            return size;
        }
        let wanted = TASKS * threads;
        // An input that does not stay in the second cache is read by each of the tasks.
        let wanted_groups = if layer.part_blocks(1) < layer.tile.blocks {
            wanted / 2
        } else {
            wanted
        };
        let smaller = |size: usize, all: usize, wanted: usize, others: usize| {
            size.min(all.div_ceil(wanted.div_ceil(others))).max(1)
        };
        size.images = smaller(size.images, images, wanted, 1);
        // Tasks of different rows read the same weights, those of different groups the same input.
        let groups_first = layer.bias.len() > layer.pixels.count();
        for along_groups in [groups_first, !groups_first] {
            let [rows, groups, images] = self.task_counts(images, size);
            if along_groups {
                size.groups = smaller(size.groups, layer.groups.len(), wanted_groups, rows * images);
            } else {
                size.rows = smaller(size.rows, layer.pixels.height, wanted, groups * images);
            }
        }
        size
    }

    /// Runs one of the [`tasks`](Self::tasks) for so many threads; `last_width` is the number of pixels in the last
    /// row where there are fewer than the layer has.
    ///
    /// # Safety
    /// Nobody writes the input or the residual meanwhile, and nobody else runs this task on these images or uses what
    /// it writes: the pixels of its rows, groups and images.
    ///
    /// # Panics
    /// Where the images are not there.
    pub(crate) unsafe fn run(
        &self,
        isa: Isa,
        images: Images,
        last_width: Option<usize>,
        threads: usize,
        task: usize,
    ) {
        let layer = &self.0;
        let last_width = last_width.unwrap_or(layer.pixels.last_width);
        assert!(last_width <= layer.pixels.last_width);
        images.check(layer);
        let size = self.task_size(images.count, threads);
        let [_, group_tasks, image_tasks] = self.task_counts(images.count, size);
        // All images take their turn with the same weights while those are in the cache.
        let (task, image_task) = (task / image_tasks, task % image_tasks);
        let (row_task, group_task) = (task / group_tasks, task % group_tasks);
        let share = |task: usize, size: usize, all: usize| task * size..((task + 1) * size).min(all);
        isa.run(Share {
            layer,
            words: layer.tile.end.map(|end| (end, end.words.set(isa))),
            images,
            last_width,
            image_range: share(image_task, size.images, images.count),
            rows: share(row_task, size.rows, layer.pixels.height),
            groups: &layer.groups[share(group_task, size.groups, layer.groups.len())],
        });
    }
}
