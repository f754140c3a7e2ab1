//! What a plan does one after the other. A step is cut into tasks that threads may take in any order.

mod attention;
mod blocks;
mod context;
mod convolution;
mod inout;
mod winograd;

use std::fmt::Debug;

pub(super) use attention::AttentionStep;
pub(super) use blocks::{BlockStep, BlockWork, RowWork};
pub(super) use context::{BufferSlot, Context, Scratch, part_of};
pub(super) use convolution::{BatchedStep, ConvolutionStep, Source};
pub(super) use inout::{Dense, ExportStep, FlattenStep, ImportStep, PlanarImportStep};
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

    /// Runs one task; each task is run once, with the same numbers of images and threads.
    fn run(&self, context: &Context, scratch: Scratch, phase: usize, task: usize);

    /// Length of the memory that each thread needs for itself.
    fn scratch(&self) -> usize {
        0
    }

    /// Length of the memory that several threads share during the step.
    fn shared_scratch(&self) -> usize {
        0
    }

    /// The value whose halo has to be zero after the step.
    fn output(&self) -> Option<Part>;

    /// Every part of the arena that the step reads.
    fn reads(&self) -> Vec<Part>;
}
