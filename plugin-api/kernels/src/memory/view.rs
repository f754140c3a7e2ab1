//! Views of one image's value in the blocked layout. They are what the kernels read and write.

use std::marker::PhantomData;
use std::ops::Range;

use super::Layout;
use crate::simd::LANES;

/// A value that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    start: *const f32,
    layout: Layout,
    data: PhantomData<&'a [f32]>,
}

/// A value that is written: by several threads at once, each its own part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ViewMut<'a> {
    start: *mut f32,
    layout: Layout,
    data: PhantomData<&'a mut [f32]>,
}

impl View<'_> {
    /// # Safety
    /// `layout.image()` values can be read at `start` as long as the view lives.
    pub(crate) unsafe fn new(start: *const f32, layout: Layout) -> Self {
        Self {
            start,
            layout,
            data: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The pixel `(y, x)` of a block.
    #[inline(always)]
    pub(crate) fn pixel(&self, block: usize, y: usize, x: usize) -> *const f32 {
        self.offset(self.layout.at(block, y, x))
    }

    /// The value `offset` after the start.
    #[inline(always)]
    pub(crate) fn offset(&self, offset: usize) -> *const f32 {
        debug_assert!(
            offset < self.layout.image(),
            "{offset} is outside of {:?}",
            self.layout
        );
        // SAFETY: within the image, see `new`.
        unsafe { self.start.add(offset) }
    }

    /// The pixels of a row, without the halo.
    #[inline(always)]
    pub(crate) fn row(&self, block: usize, y: usize) -> &[[f32; LANES]] {
        assert!(block < self.layout.blocks() && y < self.layout.height);
        // SAFETY: within the image, see `new`; an array has the alignment of its items.
        unsafe { std::slice::from_raw_parts(self.pixel(block, y, 0).cast(), self.layout.width) }
    }
}

impl ViewMut<'_> {
    /// # Safety
    /// `layout.image()` values can be written at `start` as long as the view lives. Threads that have the view
    /// of one value write different parts of it, and nobody reads it meanwhile.
    pub(crate) unsafe fn new(start: *mut f32, layout: Layout) -> Self {
        Self {
            start,
            layout,
            data: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Where the image starts, the halo included.
    pub(crate) fn start(&mut self) -> *mut f32 {
        self.start
    }

    /// The pixel `(y, x)` of a block.
    #[inline(always)]
    pub(crate) fn pixel(&self, block: usize, y: usize, x: usize) -> *mut f32 {
        let offset = self.layout.at(block, y, x);
        debug_assert!(
            offset < self.layout.image(),
            "{offset} is outside of {:?}",
            self.layout
        );
        // SAFETY: within the image, see `new`.
        unsafe { self.start.add(offset) }
    }

    /// The pixels of a row, without the halo.
    #[inline(always)]
    pub(crate) fn row(&mut self, block: usize, y: usize) -> &mut [[f32; LANES]] {
        assert!(block < self.layout.blocks() && y < self.layout.height);
        // SAFETY: within the image, see `new`; an array has the alignment of its items.
        unsafe { std::slice::from_raw_parts_mut(self.pixel(block, y, 0).cast(), self.layout.width) }
    }

    /// Some pixels of a row: those of a task where others write the rest of the row at the same time.
    #[inline(always)]
    pub(crate) fn pixels(&mut self, block: usize, y: usize, columns: Range<usize>) -> &mut [[f32; LANES]] {
        assert!(block < self.layout.blocks() && y < self.layout.height);
        assert!(columns.start <= columns.end && columns.end <= self.layout.width);
        // SAFETY: within the image, see `new`; an array has the alignment of its items.
        unsafe { std::slice::from_raw_parts_mut(self.pixel(block, y, columns.start).cast(), columns.len()) }
    }

    /// Writes zeros around the planes of these blocks.
    pub(crate) fn clear_halo(&mut self, blocks: Range<usize>) {
        let Layout {
            height, width, halo, ..
        } = self.layout;
        debug_assert!(blocks.end <= self.layout.blocks());
        let row = self.layout.row();
        let zero = |offset: usize, length: usize| {
            debug_assert!(offset + length <= self.layout.image());
            // SAFETY: within the image, see `new`.
            unsafe { self.start.add(offset).write_bytes(0, length) }
        };
        for block in blocks {
            let plane = block * self.layout.block();
            zero(plane, halo.top * row);
            zero(plane + (halo.top + height) * row, halo.bottom * row);
            if halo.left + halo.right > 0 {
                for y in halo.top..halo.top + height {
                    zero(plane + y * row, halo.left * LANES);
                    zero(plane + y * row + (halo.left + width) * LANES, halo.right * LANES);
                }
            }
        }
    }
}
