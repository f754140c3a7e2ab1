//! Depthwise convolution of numbers: each channel has a kernel of its own, so a vector of 16 channels is one pixel of a block.

use super::{epilogue::Stages, windows::SlidingWindows};
use crate::{
    memory::{AlignedBuffer, Element, NumbersMut, Packed, Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};
use std::sync::Arc;

/// A depthwise convolution ready to run on one layout.
#[derive(Debug)]
pub(crate) struct DepthwiseConvolution {
    /// `[blocks][kernel rows][kernel columns][16]`
    weights: Packed,
    /// `[blocks][16]`
    bias: Arc<AlignedBuffer>,
    stages: Stages,
    windows: SlidingWindows,
}

impl DepthwiseConvolution {
    /// `weights` are `[blocks][kernel rows][kernel columns][16]`, `bias` is `[blocks][16]`.
    ///
    /// # Panics
    /// Where there are not enough of them, or the input has other blocks than the result: a mistake in this crate, found
    /// when a plan is made and not when it runs.
    pub(crate) fn new(
        windows: SlidingWindows,
        weights: Packed,
        bias: Arc<AlignedBuffer>,
        stages: Stages,
    ) -> Self {
        let blocks = windows.y().blocks();
        assert_eq!(windows.x().blocks(), blocks);
        assert!(windows.x().element == Element::Float);
        assert!(weights.len() >= blocks * windows.taps() * LANES);
        assert!(bias.len() >= blocks * LANES);
        Self {
            weights,
            bias,
            stages,
            windows,
        }
    }

    /// Products in a sum.
    pub(crate) fn terms(&self) -> usize {
        self.windows.taps()
    }

    /// Convolves the rows of a region.
    pub(crate) fn run(&self, isa: Isa, x: View, residual: Option<View>, y: ViewMut) {
        assert_eq!((x.layout(), y.layout()), (self.windows.x(), self.windows.y()));
        let steps = self.windows.steps();
        // Each of them is a function of its own. One of them all, unoptimised, needs 2 MB of stack, as nothing that was
        // inlined shares its place there: more than a thread has.
        match (steps.kernel, steps.stride[1], steps.dilation) {
            ([3, 3], 1, [1, 1]) => self.run_sized::<3, 1>(isa, x, residual, y),
            ([3, 3], 2, [1, 1]) => self.run_sized::<3, 2>(isa, x, residual, y),
            ([5, 5], 1, [1, 1]) => self.run_sized::<5, 1>(isa, x, residual, y),
            ([5, 5], 2, [1, 1]) => self.run_sized::<5, 2>(isa, x, residual, y),
            _ => self.run_sized::<0, 0>(isa, x, residual, y),
        }
    }

    fn run_sized<const KERNEL: usize, const STRIDE: usize>(
        &self,
        isa: Isa,
        x: View,
        residual: Option<View>,
        y: ViewMut,
    ) {
        isa.run(Rows::<KERNEL, STRIDE> {
            layer: self,
            x,
            residual,
            y,
        });
    }
}

/// `KERNEL` rows and columns, and `STRIDE` between columns; 0 where they are known at run time only.
struct Rows<'a, const KERNEL: usize, const STRIDE: usize> {
    layer: &'a DepthwiseConvolution,
    x: View<'a>,
    residual: Option<View<'a>>,
    y: ViewMut<'a>,
}

impl<const KERNEL: usize, const STRIDE: usize> Kernel for Rows<'_, KERNEL, STRIDE> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let layer = self.layer;
        let width = layer.windows.y().width;
        let Region { blocks, rows, .. } = self.y.region().clone();
        for block in blocks {
            let taps = layer.windows.taps();
            let weights = &layer.weights[block * taps * LANES..][..taps * LANES];
            let bias = simd.load_slice(&layer.bias[block * LANES..]);
            for row in rows.clone() {
                let x = self.x.values()[layer.windows.start(block, row)..].as_ptr();
                let residual = self.residual.as_ref().map(|residual| residual.row(block, row));
                let y = &mut self.y.numbers(block, row, 0..width);
                let mut at = 0;
                // SAFETY: the windows of all `width` pixels are inside of the plane, see `SlidingWindows`, and `run` has
                // checked that `x` has these planes.
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
    y: &mut NumbersMut,
) {
    let steps = layer.windows.steps();
    let [rows, columns] = if KERNEL == 0 { steps.kernel } else { [KERNEL; 2] };
    let stride = if STRIDE == 0 { steps.stride[1] } else { STRIDE };
    let [row_step, column_step] = if KERNEL == 0 { steps.dilation } else { [1; 2] };
    let mut sums = [bias; PIXELS];
    for row in 0..rows {
        for column in 0..columns {
            let weight = simd.load_slice(&weights[(row * columns + column) * LANES..]);
            for (pixel, sum) in sums.iter_mut().enumerate() {
                let offset = row * row_step * layer.windows.x().row();
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
        y.store(simd, at + pixel, value);
    }
}
