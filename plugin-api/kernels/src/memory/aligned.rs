//! Buffers that start on a page, so that vectors never straddle cache lines; large ones on huge pages.

use std::{
    alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error},
    fmt,
    ops::{Deref, DerefMut},
    ptr::NonNull,
};

/// `f32` values on a page boundary, zero at first.
pub(crate) struct AlignedBuffer {
    /// The allocation, which may begin before the values do.
    allocation: NonNull<u8>,
    start: NonNull<f32>,
    length: usize,
}

// SAFETY: the buffer owns its memory, as a boxed slice does.
unsafe impl Send for AlignedBuffer {}
// SAFETY: a shared reference gives shared access only.
unsafe impl Sync for AlignedBuffer {}

impl AlignedBuffer {
    /// Bytes of a page, and of a huge page.
    const PAGE: usize = 4096;
    const HUGE_PAGE: usize = 2 << 20;

    /// A buffer of zeros. Large ones ask for huge pages: with small ones, reading weights from one end to the
    /// other takes up to three times as long, because each page has to be looked up. The system makes their zeros where
    /// they are first used, by the thread that does.
    pub(crate) fn zeroed(length: usize) -> Self {
        let (layout, page) = Self::layout(length);
        // SAFETY: the layout's size is never 0.
        let Some(allocation) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
            handle_alloc_error(layout)
        };
        let before = allocation.addr().get().next_multiple_of(page) - allocation.addr().get();
        // SAFETY: the layout has room for the values behind any such beginning.
        let start = unsafe { allocation.add(before) };
        if page == Self::HUGE_PAGE {
            advise_huge_pages(start.as_ptr(), layout.size() - page);
        }
        Self {
            allocation,
            start: start.cast(),
            length,
        }
    }

    /// What is allocated for so many values, and the page on whose boundary they start. Zeros that are asked for without
    /// such a boundary come from the system as they are; with it, they would be written.
    fn layout(length: usize) -> (Layout, usize) {
        let bytes = length.max(1).checked_mul(size_of::<f32>());
        let layout = bytes.and_then(|bytes| {
            let (page, align, before) = if bytes < Self::HUGE_PAGE {
                (Self::PAGE, Self::PAGE, 0)
            } else {
                (Self::HUGE_PAGE, align_of::<f32>(), Self::HUGE_PAGE)
            };
            let size = bytes.checked_next_multiple_of(page)?.checked_add(before)?;
            Some((Layout::from_size_align(size, align).ok()?, page))
        });
        layout.expect("lengths come from shapes, which Shape::MAX_ELEMENTS bounds")
    }

    /// Where the buffer starts, for writers that share it among threads.
    pub(crate) fn as_shared_ptr(&self) -> *mut f32 {
        self.start.as_ptr()
    }
}

/// Asks the system for huge pages, before the memory is touched.
#[cfg(all(target_os = "linux", not(miri)))]
fn advise_huge_pages(start: *mut u8, bytes: usize) {
    // SAFETY: the range is this allocation's, and the advice does not change what is in it. Where the system has no huge
    // pages, the memory works as before.
    unsafe { libc::madvise(start.cast(), bytes, libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn advise_huge_pages(_: *mut u8, _: usize) {}

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
        unsafe { dealloc(self.allocation.as_ptr(), Self::layout(self.length).0) }
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AlignedBuffer({})", self.length)
    }
}
