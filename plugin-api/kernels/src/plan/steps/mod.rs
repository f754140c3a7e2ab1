//! What a plan does one after the other. A step is cut into tasks that threads may take in any order.

mod attention;
mod blocks;
mod context;
mod convolution;
mod cut;
mod deformable;
mod inout;
mod task;
mod winograd;

use std::fmt::Debug;

pub(super) use attention::AttentionStep;
pub(super) use blocks::{BlockStep, BlockWork, RowWork};
pub(super) use context::{BufferSlot, Context, Output};
pub(super) use convolution::{BatchedStep, ConvolutionStep, Source};
pub(super) use cut::part_of;
pub(super) use deformable::DeformableStep;
pub(super) use inout::{Dense, ExportStep, FlattenStep, ImportStep, PlanarImportStep};
pub(super) use task::Task;
pub(super) use winograd::WinogradStep;

use super::storage::Part;

/// One step of a plan, for a number of images at once.
pub(super) trait Step: Debug + Send + Sync {
    /// Parts that have to follow each other: all tasks of one are done before the next one starts. With one
    /// thread this is always 1.
    fn phases(&self, _images: usize, _threads: usize) -> usize {
        1
    }

    /// Tasks of a phase for so many images and threads.
    fn tasks(&self, images: usize, threads: usize, phase: usize) -> usize;

    /// Runs one task, each of a region of its own of what the step writes.
    ///
    /// # Safety
    /// The task is one of this step, and one of so many as [`tasks`](Self::tasks) says for its images and threads. All
    /// tasks of the phases before are done.
    ///
    /// # Panics
    /// Where `own`, which the task has for itself, is shorter than [`scratch`](Self::scratch) asks for.
    unsafe fn run(&self, task: &Task<'_>, own: &mut [f32]);

    /// Length of the memory that each task needs for itself.
    fn scratch(&self) -> usize {
        0
    }

    /// Length of the memory that the tasks share during the step.
    fn shared_scratch(&self) -> usize {
        0
    }

    /// The value that the step writes, and whose halo has to be zero after it.
    fn output(&self) -> Option<Part>;

    /// Every part of the arena that the step reads.
    fn reads(&self) -> Vec<Part>;
}
