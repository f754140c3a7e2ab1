//! Steps at the ends of a network: the caller's slices to values and back.

use super::super::storage::{Part, Place};
use super::context::split_task;
use super::{Context, Scratch, Step};
use crate::graph::Shape;
use crate::kernels::rearrange::{Planar, clear_unused_lanes, export, import};

/// How a caller's slice is ordered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dense {
    /// Elements of one image.
    pub(crate) elements: usize,
    /// Whether channels are next to each other: tokens and vectors.
    pub(crate) channels_last: bool,
}

impl Dense {
    pub(crate) fn of(shape: Shape) -> Self {
        Self {
            elements: shape.elements(),
            channels_last: !matches!(shape, Shape::Map { .. }),
        }
    }
}

/// Copies an input into the blocked layout.
#[derive(Debug)]
pub(crate) struct ImportStep {
    pub(crate) input: usize,
    pub(crate) dense: Dense,
    pub(crate) y: Part,
}

impl Step for ImportStep {
    fn tasks(&self, images: usize, _: usize, _: usize) -> usize {
        images * self.y.layout.blocks()
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, task: usize) {
        let (image, block) = split_task(task, self.y.layout.blocks());
        let from = context.input(self.input, self.dense.elements, image);
        import(
            from,
            self.dense.channels_last,
            block,
            context.write(&self.y, image),
        );
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        Vec::new()
    }
}

/// Copies an input plane by plane and puts zeros around it, for a first convolution.
#[derive(Debug)]
pub(crate) struct PlanarImportStep {
    pub(crate) input: usize,
    pub(crate) planar: Planar,
    /// Its layout is a single row that is long enough.
    pub(crate) y: Part,
}

impl Step for PlanarImportStep {
    fn tasks(&self, images: usize, _: usize, _: usize) -> usize {
        images * self.planar.channels
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, task: usize) {
        let (image, channel) = split_task(task, self.planar.channels);
        let Planar {
            channels,
            height,
            width,
            ..
        } = self.planar;
        let from = context.input(self.input, channels * height * width, image);
        let plane = self.planar.plane();
        assert!(self.planar.image() <= self.y.layout.image());
        let to = context.write(&self.y, image).start();
        // SAFETY: the planes are inside of the image, and each task writes its own.
        let to = unsafe { std::slice::from_raw_parts_mut(to.add(channel * plane), plane) };
        self.planar
            .fill_plane(&from[channel * height * width..][..height * width], to);
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        Vec::new()
    }
}

/// Copies a value into a caller's output.
#[derive(Debug)]
pub(crate) struct ExportStep {
    pub(crate) output: usize,
    pub(crate) dense: Dense,
    pub(crate) x: Place,
}

impl Step for ExportStep {
    fn tasks(&self, images: usize, _: usize, _: usize) -> usize {
        images * self.x.layout().blocks()
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, task: usize) {
        let (image, block) = split_task(task, self.x.layout().blocks());
        let to = context.output(self.output, image);
        // SAFETY: the output is as long as the batch, and each task writes its own channels.
        unsafe { export(context.read(&self.x, image), block, self.dense.channels_last, to) }
    }

    fn output(&self) -> Option<Part> {
        None
    }

    fn reads(&self) -> Vec<Part> {
        match &self.x {
            Place::Arena(part) => vec![*part],
            Place::Constant(..) => Vec::new(),
        }
    }
}

/// Copies a value into a vector, in the order of its elements.
#[derive(Debug)]
pub(crate) struct FlattenStep {
    pub(crate) dense: Dense,
    pub(crate) x: Place,
    pub(crate) y: Part,
}

impl Step for FlattenStep {
    fn tasks(&self, images: usize, _: usize, _: usize) -> usize {
        images
    }

    fn run(&self, context: &Context, _: Scratch, _: usize, image: usize) {
        let x = context.read(&self.x, image);
        let mut y = context.write(&self.y, image);
        assert!(self.dense.elements <= y.layout().image());
        clear_unused_lanes(&mut y);
        for block in 0..x.layout().blocks() {
            // SAFETY: a vector's blocks follow each other, so it is dense; the assertion has checked its length.
            unsafe { export(x, block, self.dense.channels_last, y.start()) }
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        match &self.x {
            Place::Arena(part) => vec![*part],
            Place::Constant(..) => Vec::new(),
        }
    }
}
