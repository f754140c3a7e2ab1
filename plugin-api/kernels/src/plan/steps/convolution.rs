//! Steps that run direct convolutions.

use super::super::storage::{Part, Place};
use super::{Context, Scratch, Step};
use crate::kernels::convolution::DirectConvolution;

/// What a convolution reads.
#[derive(Debug, Clone)]
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

impl Step for ConvolutionStep {
    fn tasks(&self, images: usize, _: usize, _: usize) -> usize {
        images
            * self
                .convolutions
                .iter()
                .map(DirectConvolution::tasks)
                .sum::<usize>()
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, task: usize) {
        // All images take their turn with the same weights while those are in the cache.
        let (mut task, image) = (task / context.images(), task % context.images());
        for convolution in &self.convolutions {
            if task >= convolution.tasks() {
                task -= convolution.tasks();
                continue;
            }
            let x = match &self.x {
                Source::Blocked(place) => context.read(place, image).offset(0),
                Source::Planar(part) => context.read_part(part, image).offset(0),
                Source::Input(index) => context.input(*index, convolution.x_length, image).as_ptr(),
            };
            let residual = match &self.residual {
                Some(place) => context.read(place, image).offset(0),
                None => std::ptr::null(),
            };
            let y = context.write(&self.y, image).start();
            // SAFETY: the layouts of the views are those that the convolution was made for; tasks write
            // different rows and blocks.
            unsafe { convolution.run(context.isa, task, x, residual, y, convolution.width) }
            return;
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        let x = match &self.x {
            Source::Blocked(Place::Arena(part)) | Source::Planar(part) => Some(*part),
            Source::Blocked(Place::Constant(..)) | Source::Input(_) => None,
        };
        let residual = match &self.residual {
            Some(Place::Arena(part)) => Some(*part),
            _ => None,
        };
        x.into_iter().chain(residual).collect()
    }
}

/// A linear layer of vectors: the images of a pass are the pixels, so that the weights are read once for all.
#[derive(Debug)]
pub(crate) struct BatchedStep {
    /// Its `width` is the largest number of images.
    pub(crate) convolution: DirectConvolution,
    pub(crate) x: Part,
    pub(crate) y: Part,
}

impl Step for BatchedStep {
    fn tasks(&self, _: usize, _: usize, _: usize) -> usize {
        self.convolution.tasks()
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, task: usize) {
        let x = context.read_part(&self.x, 0).offset(0);
        let y = context.write(&self.y, 0).start();
        // SAFETY: both values have room for the images of a pass at the distances that the convolution was
        // made with; tasks write different blocks.
        unsafe {
            self.convolution
                .run(context.isa, task, x, std::ptr::null(), y, context.images())
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        vec![self.x]
    }
}
