//! Buffers that start on a page, so that vectors never straddle cache lines.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// `f32` values on a page boundary, zero at first.
pub(crate) struct AlignedBuffer {
    start: NonNull<f32>,
    length: usize,
}

// SAFETY: the buffer owns its memory, as a boxed slice does.
unsafe impl Send for AlignedBuffer {}
// SAFETY: a shared reference gives shared access only.
unsafe impl Sync for AlignedBuffer {}

impl AlignedBuffer {
    const ALIGNMENT: usize = 4096;

    pub(crate) fn zeroed(length: usize) -> Self {
        let layout = Self::layout(length);
        // SAFETY: the layout's size is never 0.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start.cast::<f32>()) else {
            handle_alloc_error(layout)
        };
        Self { start, length }
    }

    fn layout(length: usize) -> Layout {
        let bytes = length.max(1).checked_mul(size_of::<f32>());
        let layout = bytes.and_then(|bytes| Layout::from_size_align(bytes, Self::ALIGNMENT).ok());
        layout.expect("lengths come from shapes, which Shape::MAX_ELEMENTS bounds")
    }

    /// Where the buffer starts, for writers that share it among threads.
    pub(crate) fn as_shared_ptr(&self) -> *mut f32 {
        self.start.as_ptr()
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `start` is valid for `length` values, which were zeroed.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: `start` is valid for `length` values, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for AlignedBuffer {
    fn drop(&mut self) {
        // SAFETY: allocated with the same layout.
        unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.length)) }
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AlignedBuffer({})", self.length)
    }
}
