//! The step that runs a convolution by Winograd's algorithm.

use super::{
    super::storage::{Part, Place},
    Step, Task,
    cut::part_of,
};
use crate::{
    kernels::winograd::{Results, WinogradConvolution},
    memory::SharedMut,
};

/// The most blocks of tiles for which threads share output channels.
const SHARED_BLOCKS: usize = 4;

/// A convolution of all images of a pass, whose tiles are taken together.
#[derive(Debug)]
pub(crate) struct WinogradStep {
    pub(crate) convolution: WinogradConvolution,
    pub(crate) x: Part,
    pub(crate) residual: Option<Place>,
    pub(crate) y: Part,
    /// Images of a pass.
    pub(crate) images: usize,
}

impl WinogradStep {
    fn tiles(&self, images: usize) -> usize {
        self.convolution.tiles() * images
    }

    fn tile_blocks(&self, images: usize) -> usize {
        self.tiles(images).div_ceil(self.convolution.cut().block_tiles)
    }

    /// Where there are so few blocks of tiles that some threads would have none or wait for the others, all tiles
    /// are transformed first and then the threads share the output channels.
    fn shares_planes(&self, images: usize, threads: usize) -> bool {
        let blocks = self.tile_blocks(images);
        threads > 1 && blocks <= SHARED_BLOCKS && !blocks.is_multiple_of(threads)
    }

    /// The most tiles that [`shares_planes`](Self::shares_planes) allows.
    fn shared_tiles(&self) -> usize {
        (SHARED_BLOCKS * self.convolution.cut().block_tiles).min(self.tiles(self.images))
    }

    /// Groups of output channels that are one task.
    fn group_tasks(&self, threads: usize) -> usize {
        self.convolution.cut().group_blocks.len().min(4 * threads)
    }
}

impl Step for WinogradStep {
    fn phases(&self, images: usize, threads: usize) -> usize {
        if self.shares_planes(images, threads) { 2 } else { 1 }
    }

    fn tasks(&self, images: usize, threads: usize, phase: usize) -> usize {
        match (self.shares_planes(images, threads), phase) {
            (false, _) => self.tile_blocks(images),
            (true, 0) => self.convolution.input_blocks().min(4 * threads),
            (true, _) => self.group_tasks(threads),
        }
    }

    unsafe fn run(&self, task: &Task<'_>, own: &mut [f32]) {
        let (isa, threads, images) = (
            task.context().isa,
            task.context().threads,
            task.context().images(),
        );
        let convolution = &self.convolution;
        let x = |image| task.read_part(&self.x, image);
        let results = |image| Results {
            residual: self.residual.as_ref().map(|place| task.read(place, image)),
            y: task.target(image),
        };
        let tiles = self.tiles(images);
        let groups = convolution.cut().group_blocks.len();
        if !self.shares_planes(images, threads) {
            let tiles = part_of(tiles, self.tile_blocks(images), task.index());
            let (planes, products) = own.split_at_mut(convolution.input_planes(tiles.len()));
            let blocks = 0..convolution.input_blocks();
            // SAFETY: the planes are this task's own, and so are the results of its tiles.
            unsafe {
                convolution.transform(isa, x, tiles.clone(), blocks, SharedMut::new(planes));
                convolution.multiply(isa, results, tiles, 0..groups, planes, products);
            }
        } else if task.phase() == 0 {
            let tasks = self.tasks(images, threads, 0);
            let blocks = part_of(convolution.input_blocks(), tasks, task.index());
            // SAFETY: each task has blocks of its own.
            unsafe { convolution.transform(isa, x, 0..tiles, blocks, task.shared()) };
        } else {
            let planes = task.shared().part(0, convolution.input_planes(tiles));
            let groups = part_of(groups, self.group_tasks(threads), task.index());
            // SAFETY: nobody writes the planes in this phase; each task has groups of its own.
            unsafe { convolution.multiply(isa, results, 0..tiles, groups, planes.slice(), own) };
        }
    }

    fn scratch(&self) -> usize {
        let block = self.convolution.cut().block_tiles;
        let fused = self.convolution.input_planes(block) + self.convolution.output_planes(block);
        fused.max(self.convolution.output_planes(self.shared_tiles()))
    }

    fn shared_scratch(&self) -> usize {
        self.convolution.input_planes(self.shared_tiles())
    }

    fn output(&self) -> Option<Part> {
        Some(self.y)
    }

    fn reads(&self) -> Vec<Part> {
        let residual = self.residual.as_ref().and_then(Place::part);
        std::iter::once(self.x).chain(residual).collect()
    }
}
