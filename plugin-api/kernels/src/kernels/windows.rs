//! The windows that a convolution slides over a padded plane.

use crate::memory::Layout;
use crate::simd::LANES;

/// Windows on the planes of `x`, one for each pixel of `y`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlidingWindows {
    /// `[rows, columns]`
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Where the first window starts in a plane: the halo minus the padding.
    pub(crate) origin: usize,
    pub(crate) x: Layout,
    pub(crate) y: Layout,
}

impl SlidingWindows {
    /// Pixels of a window.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Where the first window of a row of results starts in a block of the input.
    #[inline(always)]
    pub(crate) fn start(&self, block: usize, row: usize) -> usize {
        self.origin + block * self.x.block() + row * self.stride[0] * self.x.row()
    }

    /// Checks that no window reaches beyond its plane.
    ///
    /// # Panics
    /// Where one does: a mistake in this crate, found when a plan is made and not when it runs.
    pub(crate) fn check(&self) {
        let last = |axis: usize, results: usize| {
            (results - 1) * self.stride[axis] + (self.kernel[axis] - 1) * self.dilation[axis]
        };
        let (row, column) = (last(0, self.y.height), last(1, self.y.width));
        let reach = self.origin + row * self.x.row() + (column + 1) * LANES;
        assert!(reach <= self.x.block(), "a window reads beyond its plane");
    }
}
