//! The step that runs a convolution by Winograd's algorithm.

use super::super::storage::{Part, Place};
use super::context::part_of;
use super::{Context, Scratch, Step};
use crate::kernels::winograd::{Image, WinogradConvolution};

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
        self.tiles(images).div_ceil(self.convolution.block_tiles)
    }

    /// Where there are so few blocks of tiles that some threads would have none or wait for the others, all tiles
    /// are transformed first and then the threads share the output channels.
    fn shares_planes(&self, images: usize, threads: usize) -> bool {
        let blocks = self.tile_blocks(images);
        threads > 1 && blocks <= SHARED_BLOCKS && !blocks.is_multiple_of(threads)
    }

    /// The most tiles that [`shares_planes`](Self::shares_planes) allows.
    fn shared_tiles(&self) -> usize {
        (SHARED_BLOCKS * self.convolution.block_tiles).min(self.tiles(self.images))
    }

    /// Groups of output channels that are one task.
    fn group_tasks(&self, threads: usize) -> usize {
        self.convolution.group_blocks.len().min(4 * threads)
    }
}

impl Step for WinogradStep {
    fn phases(&self, images: usize, threads: usize) -> usize {
        if self.shares_planes(images, threads) { 2 } else { 1 }
    }

    fn tasks(&self, images: usize, threads: usize, phase: usize) -> usize {
        match (self.shares_planes(images, threads), phase) {
            (false, _) => self.tile_blocks(images),
            (true, 0) => self.convolution.x.blocks().min(4 * threads),
            (true, _) => self.group_tasks(threads),
        }
    }

    fn run(&self, context: &Context, scratch: Scratch, phase: usize, task: usize) {
        let convolution = &self.convolution;
        let image = |image: usize| Image {
            x: context.read_part(&self.x, image),
            residual: self.residual.as_ref().map(|place| context.read(place, image)),
            y: context.write(&self.y, image),
        };
        let images = context.images();
        let tiles = self.tiles(images);
        let groups = convolution.group_blocks.len();
        // SAFETY: each thread's memory is as long as `scratch` asks for, and this task has it for itself.
        let own = unsafe { std::slice::from_raw_parts_mut(scratch.own, scratch.own_length) };
        if !self.shares_planes(images, context.threads) {
            let tiles = part_of(tiles, self.tile_blocks(images), task);
            let (planes, products) = own.split_at_mut(convolution.input_planes(tiles.len()));
            let blocks = 0..convolution.x.blocks();
            // SAFETY: `planes` is as long as these tiles need, and this task has it for itself.
            unsafe { convolution.transform(context.isa, image, tiles.clone(), blocks, planes.as_mut_ptr()) };
            convolution.multiply(context.isa, image, tiles, 0..groups, planes, products);
        } else if phase == 0 {
            let blocks = part_of(
                convolution.x.blocks(),
                self.tasks(images, context.threads, 0),
                task,
            );
            // SAFETY: the shared memory is as long as `shared_scratch` asks for, and each task has blocks of its own.
            unsafe { convolution.transform(context.isa, image, 0..tiles, blocks, scratch.shared) };
        } else {
            let length = convolution.input_planes(tiles);
            // SAFETY: the shared memory is as long as `shared_scratch` asks for, and nobody writes it in this phase.
            let planes = unsafe { std::slice::from_raw_parts(scratch.shared, length) };
            let groups = part_of(groups, self.group_tasks(context.threads), task);
            convolution.multiply(context.isa, image, 0..tiles, groups, planes, own);
        }
    }

    fn scratch(&self) -> usize {
        let block = self.convolution.block_tiles;
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
        let residual = match &self.residual {
            Some(Place::Arena(part)) => Some(*part),
            _ => None,
        };
        std::iter::once(self.x).chain(residual).collect()
    }
}
