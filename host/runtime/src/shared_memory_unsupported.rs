//! Systems on which models run in this process, and pictures get to them as they are.

use std::{
    convert::Infallible,
    io,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Memory that a worker can read in place, of which there is none here.
#[derive(Debug)]
pub struct SharedMemory(Infallible);

impl SharedMemory {
    /// Makes memory.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// So many bytes for this process to write.
    ///
    /// # Errors
    /// Never: there is no memory to take them from.
    pub fn take(self: &Arc<Self>, _bytes: usize) -> io::Result<SharedBlock> {
        match self.0 {}
    }
}

/// Bytes in a [`SharedMemory`], of which there are none here.
#[derive(Debug)]
pub struct SharedBlock(Infallible);

impl Deref for SharedBlock {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.0 {}
    }
}

impl DerefMut for SharedBlock {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self.0 {}
    }
}
