//! The memory of a program's runs, which later runs use again.

use crate::memory::AlignedBuffer;
use std::sync::{Mutex, PoisonError};

/// Buffers of one length that runs borrow, so that only the first ones allocate.
#[derive(Debug)]
pub(super) struct BufferPool {
    length: usize,
    free: Mutex<Vec<AlignedBuffer>>,
}

impl BufferPool {
    fn new(length: usize) -> Self {
        Self {
            length,
            free: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn take(&self) -> AlignedBuffer {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| AlignedBuffer::zeroed(self.length))
    }

    pub(super) fn put(&self, buffer: AlignedBuffer) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffer);
    }

    /// Bytes of one buffer.
    fn bytes(&self) -> usize {
        self.length * size_of::<f32>()
    }
}

/// What threads that run the same images use.
#[derive(Debug)]
pub(super) struct CommonMemory {
    pub(super) arena: AlignedBuffer,
    pub(super) shared: AlignedBuffer,
}

/// The memory of a program's runs.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) arenas: BufferPool,
    pub(super) scratch: BufferPool,
    shared: BufferPool,
}

impl Memory {
    /// For programs that need an arena of this length, and so much memory for each thread and for all of them.
    pub(super) fn new(arena: usize, scratch: usize, shared: usize) -> Self {
        Self {
            arenas: BufferPool::new(arena),
            scratch: BufferPool::new(scratch),
            shared: BufferPool::new(shared),
        }
    }

    /// Memory for images that several threads run together.
    pub(super) fn take(&self) -> CommonMemory {
        CommonMemory {
            arena: self.arenas.take(),
            shared: self.shared.take(),
        }
    }

    /// Gives it back.
    pub(super) fn put(&self, memory: CommonMemory) {
        self.arenas.put(memory.arena);
        self.shared.put(memory.shared);
    }

    /// Bytes of an arena.
    pub(super) fn arena_bytes(&self) -> usize {
        self.arenas.bytes()
    }

    /// Bytes of what a thread needs beside it.
    pub(super) fn scratch_bytes(&self) -> usize {
        self.scratch.bytes().max(self.shared.bytes())
    }
}
