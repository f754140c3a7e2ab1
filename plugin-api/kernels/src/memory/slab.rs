//! Many buffers that are written once, in a few large allocations: only those can have huge pages.

use super::AlignedBuffer;
use std::{ops::Deref, sync::Arc};

/// Hands out parts of large allocations.
#[derive(Debug, Default)]
pub(crate) struct Slab {
    chunk: Option<Arc<AlignedBuffer>>,
    used: usize,
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
    /// Parts start on a cache line.
    const LINE: usize = 16;

    /// A part of this length, zero but for what `fill` writes.
    pub(crate) fn allocate(&mut self, length: usize, fill: impl FnOnce(&mut [f32])) -> Packed {
        let room = self.chunk.as_ref().map_or(0, |chunk| chunk.len() - self.used);
        let chunk = match &self.chunk {
            Some(chunk) if length <= room => Arc::clone(chunk),
            _ => {
                let chunk = Arc::new(AlignedBuffer::zeroed(length.max(Self::CHUNK)));
                self.used = 0;
                self.chunk = Some(Arc::clone(&chunk));
                chunk
            }
        };
        let start = self.used;
        self.used = (start + length).next_multiple_of(Self::LINE).min(chunk.len());
        // SAFETY: the part is inside of the chunk, and no other part overlaps it.
        fill(unsafe { std::slice::from_raw_parts_mut(chunk.as_shared_ptr().add(start), length) });
        Packed { chunk, start, length }
    }
}

impl Deref for Packed {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the part is inside of the chunk, and nobody writes it after `allocate`.
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
