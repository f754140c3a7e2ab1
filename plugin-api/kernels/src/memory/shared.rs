//! Values that several threads use at once, each its own part: handles that may go to any thread, because only
//! `unsafe` functions make slices of them.

use std::marker::PhantomData;

/// Values that others may write in the meantime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a> {
    start: *const f32,
    length: usize,
    data: PhantomData<&'a [f32]>,
}

/// Values that several may read and write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedMut<'a> {
    start: *mut f32,
    length: usize,
    data: PhantomData<&'a mut [f32]>,
}

// SAFETY: a handle gives no access; who makes a slice or a pointer of it answers for the other threads.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}
// SAFETY: as above.
unsafe impl Send for SharedMut<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedMut<'_> {}

impl<'a> Shared<'a> {
    /// Shares values that nobody writes.
    pub(crate) fn new(values: &'a [f32]) -> Self {
        Self {
            start: values.as_ptr(),
            length: values.len(),
            data: PhantomData,
        }
    }

    /// How many there are.
    pub(crate) fn len(self) -> usize {
        self.length
    }

    /// The first value; as many as [`len`](Self::len) can be read from there while nobody writes them.
    pub(crate) fn as_ptr(self) -> *const f32 {
        self.start
    }
}

impl<'a> SharedMut<'a> {
    /// Shares values that are borrowed for it.
    pub(crate) fn new(values: &'a mut [f32]) -> Self {
        Self {
            start: values.as_mut_ptr(),
            length: values.len(),
            data: PhantomData,
        }
    }

    /// Shares values that lie somewhere else.
    ///
    /// # Safety
    /// There are so many, and they are there as long as the handle is used.
    pub(crate) unsafe fn of(start: *mut f32, length: usize) -> Self {
        Self {
            start,
            length,
            data: PhantomData,
        }
    }

    /// How many there are.
    pub(crate) fn len(self) -> usize {
        self.length
    }

    /// The first value; as many as [`len`](Self::len) can be used from there while nobody else does.
    pub(crate) fn as_ptr(self) -> *mut f32 {
        self.start
    }

    /// The same values, to read.
    pub(crate) fn as_shared(self) -> Shared<'a> {
        Shared {
            start: self.start,
            length: self.length,
            data: PhantomData,
        }
    }

    /// `length` values from `start` on.
    ///
    /// # Panics
    /// Where there are not so many.
    #[inline(always)]
    pub(crate) fn part(self, start: usize, length: usize) -> Self {
        assert!(start <= self.length && length <= self.length - start);
        Self {
            // SAFETY: within the values, as asserted.
            start: unsafe { self.start.add(start) },
            length,
            data: PhantomData,
        }
    }

    /// # Safety
    /// Nobody writes these values as long as the slice lives.
    #[inline(always)]
    pub(crate) unsafe fn slice(self) -> &'a [f32] {
        // SAFETY: the values are there, see `new`; the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// # Safety
    /// Nobody else reads or writes these values as long as the slice lives.
    #[inline(always)]
    pub(crate) unsafe fn slice_mut(self) -> &'a mut [f32] {
        // SAFETY: the values are there, see `new`; the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_write_their_own_parts() {
        let mut values = [0.0; 8];
        let shared = SharedMut::new(&mut values);
        std::thread::scope(|scope| {
            for thread in 0..2 {
                scope.spawn(move || {
                    // SAFETY: each thread has a half of its own.
                    let half = unsafe { shared.part(4 * thread, 4).slice_mut() };
                    half.fill(thread as f32);
                });
            }
        });
        assert_eq!(values, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    #[should_panic]
    fn a_part_beyond_the_end_is_refused() {
        SharedMut::new(&mut [0.0; 8]).part(4, 5);
    }

    #[test]
    #[should_panic]
    fn a_part_whose_end_overflows_is_refused() {
        SharedMut::new(&mut [0.0; 8]).part(4, usize::MAX);
    }
}
