//! Steps that run direct convolutions.

use super::super::storage::{Part, Place};
use super::{Context, Scratch, Step};
use crate::kernels::convolution::{DirectConvolution, Images};

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

impl ConvolutionStep {
    fn images(&self, context: &Context, convolution: &DirectConvolution) -> Images {
        let (x, x_image) = match &self.x {
            Source::Blocked(place) => (context.read(place, 0).offset(0), context.image_distance(place)),
            Source::Planar(part) => (context.read_part(part, 0).offset(0), context.part_distance(part)),
            Source::Input(index) => {
                let length = convolution.x_length;
                (context.input(*index, length, 0).as_ptr(), length)
            }
        };
        let (residual, r_image) = match &self.residual {
            Some(place) => (context.read(place, 0).offset(0), context.image_distance(place)),
            None => (std::ptr::null(), 0),
        };
        Images {
            count: context.images(),
            x,
            x_image,
            residual,
            r_image,
            y: context.write(&self.y, 0).start(),
            y_image: context.part_distance(&self.y),
        }
    }
}

impl Step for ConvolutionStep {
    fn tasks(&self, images: usize, threads: usize, _: usize) -> usize {
        let tasks = |convolution: &DirectConvolution| convolution.tasks(images, threads);
        self.convolutions.iter().map(tasks).sum()
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, mut task: usize) {
        for convolution in &self.convolutions {
            let tasks = convolution.tasks(context.images(), context.threads);
            if task >= tasks {
                task -= tasks;
                continue;
            }
            let images = self.images(context, convolution);
            // SAFETY: the layouts of the views are those that the convolution was made for; tasks write
            // different images, rows and blocks.
            unsafe { convolution.run(context.isa, images, convolution.last_width, context.threads, task) }
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
    /// Of one row, whose pixels are the images.
    pub(crate) convolution: DirectConvolution,
    pub(crate) x: Part,
    pub(crate) y: Part,
}

impl Step for BatchedStep {
    fn tasks(&self, _: usize, threads: usize, _: usize) -> usize {
        self.convolution.tasks(1, threads)
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, task: usize) {
        let images = Images {
            count: 1,
            x: context.read_part(&self.x, 0).offset(0),
            x_image: 0,
            residual: std::ptr::null(),
            r_image: 0,
            y: context.write(&self.y, 0).start(),
            y_image: 0,
        };
        // SAFETY: both values have room for the images of a pass at the distances that the convolution was
        // made with; tasks write different blocks.
        unsafe {
            self.convolution
                .run(context.isa, images, context.images(), context.threads, task)
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        vec![self.x]
    }
}
