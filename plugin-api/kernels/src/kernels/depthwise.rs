//! Depthwise convolution: each channel has a kernel of its own, so a vector of 16 channels is one pixel of a block.

use std::ops::Range;
use std::sync::Arc;

use super::epilogue::Stages;
use super::windows::SlidingWindows;
use crate::memory::{AlignedBuffer, Packed, View, ViewMut};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// A depthwise convolution ready to run on one layout.
#[derive(Debug)]
pub(crate) struct DepthwiseConvolution {
    /// `[blocks][kernel rows][kernel columns][16]`
    pub(crate) weights: Packed,
    /// `[blocks][16]`
    pub(crate) bias: Arc<AlignedBuffer>,
    pub(crate) stages: Stages,
    pub(crate) windows: SlidingWindows,
}

impl DepthwiseConvolution {
    /// Checks that no window reads outside of the input and that there are weights for all blocks.
    ///
    /// # Panics
    /// Where one would: a mistake in this crate, found when a plan is made and not when it runs.
    pub(crate) fn checked(self) -> Self {
        let Self { windows, .. } = &self;
        windows.check();
        let blocks = windows.y.blocks();
        assert_eq!(windows.x.blocks(), blocks);
        assert!(self.weights.len() >= blocks * windows.taps() * LANES);
        assert!(self.bias.len() >= blocks * LANES);
        self
    }

    /// Convolves some rows of some blocks of one image.
    pub(crate) fn run(
        &self,
        isa: Isa,
        blocks: Range<usize>,
        rows: Range<usize>,
        x: View,
        residual: Option<View>,
        y: ViewMut,
    ) {
        assert_eq!((x.layout(), y.layout()), (&self.windows.x, &self.windows.y));
        isa.run(Rows {
            layer: self,
            blocks,
            rows,
            x,
            residual,
            y,
        });
    }
}

struct Rows<'a> {
    layer: &'a DepthwiseConvolution,
    blocks: Range<usize>,
    rows: Range<usize>,
    x: View<'a>,
    residual: Option<View<'a>>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let windows = &self.layer.windows;
        match (windows.kernel, windows.stride[1], windows.dilation) {
            ([3, 3], 1, [1, 1]) => self.with_sizes::<S, 3, 1>(simd),
            ([3, 3], 2, [1, 1]) => self.with_sizes::<S, 3, 2>(simd),
            ([5, 5], 1, [1, 1]) => self.with_sizes::<S, 5, 1>(simd),
            ([5, 5], 2, [1, 1]) => self.with_sizes::<S, 5, 2>(simd),
            _ => self.with_sizes::<S, 0, 0>(simd),
        }
    }
}

impl Rows<'_> {
    /// `KERNEL` rows and columns, and `STRIDE` between columns; 0 where they are known at run time only.
    #[inline(always)]
    fn with_sizes<S: Simd, const KERNEL: usize, const STRIDE: usize>(mut self, simd: S) {
        let layer = self.layer;
        let width = layer.windows.y.width;
        for block in self.blocks.clone() {
            let taps = layer.windows.taps();
            let weights = &layer.weights[block * taps * LANES..][..taps * LANES];
            let bias = simd.load_slice(&layer.bias[block * LANES..]);
            for row in self.rows.clone() {
                let x = self.x.offset(layer.windows.start(block, row));
                let residual = self.residual.as_ref().map(|residual| residual.row(block, row));
                let y = self.y.row(block, row);
                let mut at = 0;
                // SAFETY: `checked` has shown that the windows of all `width` pixels are inside of the plane.
                unsafe {
                    // As many sums as hide the multiplication's latency, and registers hold.
                    if S::VECTORS >= 16 {
                        while at + 8 <= width {
                            pixels::<S, 8, KERNEL, STRIDE>(simd, layer, x, weights, bias, at, residual, y);
                            at += 8;
                        }
                        if at + 7 == width {
                            pixels::<S, 7, KERNEL, STRIDE>(simd, layer, x, weights, bias, at, residual, y);
                            at += 7;
                        }
                    }
                    while at + 4 <= width {
                        pixels::<S, 4, KERNEL, STRIDE>(simd, layer, x, weights, bias, at, residual, y);
                        at += 4;
                    }
                    while at < width {
                        pixels::<S, 1, KERNEL, STRIDE>(simd, layer, x, weights, bias, at, residual, y);
                        at += 1;
                    }
                }
            }
        }
    }
}

/// `PIXELS` pixels of a row, from `at` on.
///
/// # Safety
/// `x` is valid for the windows of these pixels.
#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "a struct of them would be built for every few pixels"
)]
unsafe fn pixels<S: Simd, const PIXELS: usize, const KERNEL: usize, const STRIDE: usize>(
    simd: S,
    layer: &DepthwiseConvolution,
    x: *const f32,
    weights: &[f32],
    bias: S::Vector,
    at: usize,
    residual: Option<&[[f32; LANES]]>,
    y: &mut [[f32; LANES]],
) {
    let windows = &layer.windows;
    let [rows, columns] = if KERNEL == 0 { windows.kernel } else { [KERNEL; 2] };
    let stride = if STRIDE == 0 { windows.stride[1] } else { STRIDE };
    let [row_step, column_step] = if KERNEL == 0 { windows.dilation } else { [1; 2] };
    let mut sums = [bias; PIXELS];
    for row in 0..rows {
        for column in 0..columns {
            let weight = simd.load_slice(&weights[(row * columns + column) * LANES..]);
            for (pixel, sum) in sums.iter_mut().enumerate() {
                let offset = row * row_step * windows.x.row();
                let pixel = (at + pixel) * stride + column * column_step;
                // SAFETY: the caller's promise.
                let value = unsafe { simd.load_at(x.add(offset + pixel * LANES)) };
                *sum = simd.mul_add(weight, value, *sum);
            }
        }
    }
    for (pixel, sum) in sums.into_iter().enumerate() {
        let value = layer.stages.finish(simd, sum, || match residual {
            Some(residual) => simd.load(&residual[at + pixel]),
            None => simd.splat(0.0),
        });
        simd.store(&mut y[at + pixel], value);
    }
}
