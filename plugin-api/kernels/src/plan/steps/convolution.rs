//! Steps that run direct convolutions.

use super::{
    super::storage::{Part, Place},
    Step, Task,
};
use crate::{
    kernels::convolution::{DirectConvolution, Images},
    memory::Shared,
};

/// What a convolution reads.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A value in the blocked layout.
    Blocked(Place),
    /// A bordered dense image at an offset from the arena's start, by [`PlanarImportStep`](super::PlanarImportStep).
    Planar(Part),
    /// The caller's input of this index, which needs no border.
    Input(usize),
}

/// Convolutions of each image: one, or the phases of a transposed one.
#[derive(Debug)]
pub(crate) struct ConvolutionStep {
    pub(crate) convolutions: Vec<DirectConvolution>,
    pub(crate) x: Source,
    pub(crate) residual: Option<Place>,
    pub(crate) y: Part,
}

impl ConvolutionStep {
    fn images<'v>(&'v self, task: &Task<'v>, convolution: &DirectConvolution) -> Images<'v> {
        let (x, x_image) = match &self.x {
            Source::Blocked(place) => task.read_all(place),
            Source::Planar(part) => task.read_part_of_all(part),
            Source::Input(index) => {
                let length = convolution.input_length();
                (Shared::new(task.input_of_all(*index, length)), length)
            }
        };
        let residual = self.residual.as_ref().map(|place| task.read_all(place));
        let (y, y_image) = task.target_of_all();
        Images {
            count: task.context().images(),
            x,
            x_image,
            residual: residual.map(|(values, _)| values),
            r_image: residual.map_or(0, |(_, distance)| distance),
            y,
            y_image,
        }
    }
}

impl Step for ConvolutionStep {
    fn tasks(&self, images: usize, threads: usize, _: usize) -> usize {
        let tasks = |convolution: &DirectConvolution| convolution.tasks(images, threads);
        self.convolutions.iter().map(tasks).sum()
    }

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let (isa, threads, count) = (
            task.context().isa,
            task.context().threads,
            task.context().images(),
        );
        let mut index = task.index();
        for convolution in &self.convolutions {
            let tasks = convolution.tasks(count, threads);
            if index >= tasks {
                index -= tasks;
                continue;
            }
            let images = self.images(task, convolution);
            // SAFETY: what is read is none of what the step writes; each task is another one of its convolution, and the
            // phases of a transposed convolution have results of their own.
            unsafe { convolution.run(isa, images, None, threads, index) }
            return;
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        let x = match &self.x {
            Source::Blocked(place) => place.part(),
            Source::Planar(part) => Some(*part),
            Source::Input(_) => None,
        };
        let residual = self.residual.as_ref().and_then(Place::part);
        x.into_iter().chain(residual).collect()
    }
}

/// A linear layer of vectors: the images of a pass are the pixels, so that the weights are read once for all.
#[derive(Debug)]
pub(crate) struct BatchedStep {
    /// Of one row, whose pixels are the images.
    pub(crate) convolution: DirectConvolution,
    pub(crate) x: Part,
    pub(crate) y: Part,
}

impl Step for BatchedStep {
    fn tasks(&self, _: usize, threads: usize, _: usize) -> usize {
        self.convolution.tasks(1, threads)
    }

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let (isa, threads, count) = (
            task.context().isa,
            task.context().threads,
            task.context().images(),
        );
        let (x, _) = task.read_part_of_all(&self.x);
        let (y, _) = task.target_of_all();
        let images = Images {
            count: 1,
            x,
            x_image: 0,
            residual: None,
            r_image: 0,
            y,
            y_image: 0,
        };
        // SAFETY: what is read is none of what the step writes; each task is another one of the convolution.
        unsafe {
            self.convolution
                .run(isa, images, Some(count), threads, task.index())
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        vec![self.x]
    }
}
