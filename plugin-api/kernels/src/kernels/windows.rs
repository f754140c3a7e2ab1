//! The windows that a convolution slides over a padded plane.

use crate::{graph::Padding, memory::Layout};

/// Windows on the planes of `x`, one for each pixel of `y`, none of which reaches beyond its plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlidingWindows {
    steps: WindowSteps,
    /// Where the first window starts in a plane.
    origin: usize,
    x: Layout,
    y: Layout,
}

/// The pixels of windows, and the way from one window to the next; each `[rows, columns]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowSteps {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
}

impl SlidingWindows {
    /// The first window starts so far before the input's first pixel as `padding` says.
    ///
    /// # Panics
    /// Where the halo of `x` does not cover the windows: a mistake in this crate, found when a plan is made and not
    /// when it runs.
    pub(crate) fn new(steps: WindowSteps, padding: Padding, x: Layout, y: Layout) -> Self {
        assert!(padding.top <= x.halo.top && padding.left <= x.halo.left);
        let origin = (x.halo.top - padding.top) * x.row() + (x.halo.left - padding.left) * x.pixel();
        let last = |axis: usize, results: usize| {
            (results - 1) * steps.stride[axis] + (steps.kernel[axis] - 1) * steps.dilation[axis]
        };
        let (row, column) = (last(0, y.height), last(1, y.width));
        let reach = origin + row * x.row() + (column + 1) * x.pixel();
        assert!(reach <= x.block(), "a window reads beyond its plane");
        Self { steps, origin, x, y }
    }

    /// Pixels of a window.
    pub(crate) fn taps(&self) -> usize {
        self.steps.kernel[0] * self.steps.kernel[1]
    }

    #[inline(always)]
    pub(crate) fn steps(&self) -> &WindowSteps {
        &self.steps
    }

    /// The input.
    #[inline(always)]
    pub(crate) fn x(&self) -> &Layout {
        &self.x
    }

    /// The result.
    #[inline(always)]
    pub(crate) fn y(&self) -> &Layout {
        &self.y
    }

    /// Where the first window of a row of results starts in the input, given the block of the input.
    #[inline(always)]
    pub(crate) fn start(&self, block: usize, row: usize) -> usize {
        self.origin + block * self.x.block() + row * self.steps.stride[0] * self.x.row()
    }
}
