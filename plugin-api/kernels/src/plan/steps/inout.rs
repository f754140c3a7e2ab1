//! Steps at the ends of a network: the caller's slices to values and back.

use super::{
    super::storage::{Part, Place},
    Step, Task,
    cut::split_task,
};
use crate::{
    graph::Shape,
    kernels::rearrange::{Planar, clear_unused_lanes, export, import},
    memory::Region,
};

/// How a caller's slice is ordered.
#[derive(Clone, Copy, Debug)]
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

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let (image, block) = split_task(task.index(), self.y.layout.blocks());
        let from = task.input(self.input, self.dense.elements, image);
        let region = Region {
            blocks: block..block + 1,
            ..Region::whole(&self.y.layout)
        };
        // SAFETY: each task has a block of its own.
        let to = unsafe { task.write(image, region) };
        import(from, self.dense.channels_last, to);
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

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let (image, channel) = split_task(task.index(), self.planar.channels);
        let Planar {
            channels,
            height,
            width,
            ..
        } = self.planar;
        let from = task.input(self.input, channels * height * width, image);
        let plane = self.planar.plane();
        let to = task.target(image).values().part(channel * plane, plane);
        // SAFETY: each task has a plane of its own.
        let to = unsafe { to.slice_mut() };
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

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let (image, block) = split_task(task.index(), self.x.layout().blocks());
        let (x, to) = (task.read(&self.x, image), task.caller_output(self.output, image));
        // SAFETY: each task has a block of its own.
        unsafe { export(x, block, self.dense.channels_last, to) }
    }

    fn output(&self) -> Option<Part> {
        None
    }

    fn reads(&self) -> Vec<Part> {
        self.x.part().into_iter().collect()
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

    unsafe fn run(&self, task: &Task<'_>, _: &mut [f32]) {
        let image = task.index();
        let x = task.read(&self.x, image);
        // SAFETY: there is one task for each image.
        clear_unused_lanes(&mut unsafe { task.write(image, Region::whole(&self.y.layout)) });
        // A vector's blocks follow each other, so that it is dense.
        let to = task.target(image).values();
        for block in 0..x.layout().blocks() {
            // SAFETY: as above.
            unsafe { export(x, block, self.dense.channels_last, to) }
        }
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        self.x.part().into_iter().collect()
    }
}
