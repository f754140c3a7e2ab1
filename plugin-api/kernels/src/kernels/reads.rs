//! Which channels a convolution's sums go over.

use crate::simd::LANES;

/// The blocks of input channels that each block of output channels reads: `count` from its first one on.
#[derive(Debug)]
pub(crate) struct ReadBlocks {
    pub(crate) count: usize,
    pub(crate) firsts: Vec<usize>,
    /// Channels of the last block that is read; the others have 16.
    pub(crate) last_channels: usize,
}

impl ReadBlocks {
    /// Channels of one of the blocks that are read.
    #[inline(always)]
    pub(crate) fn channels_of(&self, read: usize) -> usize {
        if read + 1 == self.count {
            self.last_channels
        } else {
            LANES
        }
    }

    /// Channels of all blocks that are read.
    pub(crate) fn channels(&self) -> usize {
        (self.count - 1) * LANES + self.last_channels
    }
}
