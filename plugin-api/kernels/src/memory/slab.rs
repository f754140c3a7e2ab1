//! Many buffers that are written once, in a few large allocations: only those can have huge pages.

use super::{AlignedBuffer, SharedMut};
use std::{ops::Deref, sync::Arc};

/// Hands out parts of large allocations.
#[derive(Debug, Default)]
pub(crate) struct Slab {
    chunk: Option<Arc<AlignedBuffer>>,
    used: usize,
    /// Values of all parts.
    total: usize,
}

/// A part of a slab; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    chunk: Arc<AlignedBuffer>,
    start: usize,
    length: usize,
}

impl Slab {
    /// Values of an allocation, where no part needs more: 4 MiB; less for Miri, which is slow.
    const CHUNK: usize = if cfg!(miri) { 1 << 10 } else { 1 << 20 };
    /// Values of the largest allocation for several parts. Behind the last part of each, a huge page is zeroed for nothing.
    const LARGEST_CHUNK: usize = 8 * Self::CHUNK;
    /// Parts start on a cache line.
    const LINE: usize = 16;

    /// A part of this length, zero but for what `fill` writes.
    pub(crate) fn allocate(&mut self, length: usize, fill: impl FnOnce(&mut [f32])) -> Packed {
        let part = self.reserve(length);
        // SAFETY: nobody else knows this part yet.
        fill(unsafe { part.shared_mut().slice_mut() });
        part
    }

    /// A part of this length, zero until somebody writes it. No memory has been touched for it.
    pub(crate) fn reserve(&mut self, length: usize) -> Packed {
        let room = self.chunk.as_ref().map_or(0, |chunk| chunk.len() - self.used);
        let chunk = match &self.chunk {
            Some(chunk) if length <= room => Arc::clone(chunk),
            _ => {
                // Larger ones for large networks, whose parts would else be alone in theirs.
                let usual = (self.total / 4).clamp(Self::CHUNK, Self::LARGEST_CHUNK);
                let chunk = Arc::new(AlignedBuffer::zeroed(length.max(usual)));
                self.used = 0;
                self.chunk = Some(Arc::clone(&chunk));
                chunk
            }
        };
        let start = self.used;
        self.used = (start + length).next_multiple_of(Self::LINE).min(chunk.len());
        self.total += length;
        Packed { chunk, start, length }
    }
}

impl Packed {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// For whoever writes it, before anybody reads it.
    pub(crate) fn shared_mut(&self) -> SharedMut<'_> {
        // SAFETY: the part is inside of the chunk.
        let start = unsafe { self.chunk.as_shared_ptr().add(self.start) };
        // SAFETY: the chunk lives as long as `self` is borrowed.
        unsafe { SharedMut::of(start, self.length) }
    }
}

impl Deref for Packed {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the part is inside of the chunk. Who writes it, see `shared_mut`, has answered for there being no reader.
        unsafe { std::slice::from_raw_parts(self.chunk.as_shared_ptr().add(self.start), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_what_was_written() {
        let mut slab = Slab::default();
        let chunk = Slab::CHUNK;
        let lengths = [5, chunk / 2, chunk / 4 * 3, 7, 5 * chunk, 1];
        let parts = lengths.map(|length| slab.allocate(length, |part| part.fill(length as f32)));
        for (part, length) in parts.iter().zip(lengths) {
            assert_eq!(part.len(), length);
            assert!(part.iter().all(|&value| value == length as f32));
        }
    }
}
