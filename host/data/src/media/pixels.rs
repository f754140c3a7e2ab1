//! Where the pixels of a picture lie.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

/// Memory that decoders write pixels to. Whoever sends pictures on elsewhere can have them decoded to where they are to go.
pub trait PixelMemory: Send + Sync {
    /// So many bytes of any content; `None` where there is no room for them, and they go elsewhere.
    fn take(&self, bytes: usize) -> Option<Box<dyn PixelBlock>>;

    /// Is told the size of a picture, as it is stored, before memory is taken for its pixels. It may wait until there is room. `is_in_place` says whether the pixels are
    /// decoded to where they stay, and not anywhere else before.
    fn announce(&self, _width: u32, _height: u32, _is_in_place: bool) {}
}

/// Bytes in a [`PixelMemory`], given back when they are dropped.
pub trait PixelBlock: DerefMut<Target = [u8]> + Send + Sync {}

impl<T: DerefMut<Target = [u8]> + Send + Sync> PixelBlock for T {}

/// The memory that programs have anyway.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap;

impl PixelMemory for Heap {
    fn take(&self, _bytes: usize) -> Option<Box<dyn PixelBlock>> {
        None
    }
}

/// The bytes of a picture, wherever they lie.
pub(super) enum Pixels {
    Vec(Vec<u8>),
    Block(Box<dyn PixelBlock>),
}

impl Pixels {
    /// So many bytes in `memory`, or else zeros.
    pub(super) fn in_memory(memory: &dyn PixelMemory, bytes: usize) -> Self {
        match memory.take(bytes) {
            Some(block) => Self::Block(block),
            None => Self::Vec(vec![0; bytes]),
        }
    }

    /// The same bytes in `memory`, if it has room for them.
    pub(super) fn moved_to(self, memory: &dyn PixelMemory) -> Self {
        let Self::Vec(bytes) = self else { return self };
        match memory.take(bytes.len()) {
            Some(mut block) => {
                block.copy_from_slice(&bytes);
                Self::Block(block)
            }
            None => Self::Vec(bytes),
        }
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Vec(bytes) => bytes,
            Self::Block(block) => block.to_vec(),
        }
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Vec(bytes)
    }
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Vec(bytes) => bytes,
            Self::Block(block) => block,
        }
    }
}

impl DerefMut for Pixels {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Vec(bytes) => bytes,
            Self::Block(block) => block,
        }
    }
}

impl Clone for Pixels {
    fn clone(&self) -> Self {
        Self::Vec(self.to_vec())
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Pixels {}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}
