//! Depthwise convolution of bytes. The products of a window are so few that their sums are exact as `f32`, too.

use super::{requantise::Finish, tile::WORD_BIAS, windows::SlidingWindows};
use crate::{
    memory::{AlignedBuffer, Element, Packed, Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// A depthwise convolution of bytes ready to run on one layout.
#[derive(Debug)]
pub(crate) struct ByteDepthwise {
    /// `[blocks][kernel rows][kernel columns][16]`, integers.
    weights: Packed,
    /// `[blocks][64]`, see [`WORD_BIAS`].
    bias: AlignedBuffer,
    finish: Finish,
    windows: SlidingWindows,
}

impl ByteDepthwise {
    /// The most pixels of a window: sums of integers up to [`largest_weight`](Self::largest_weight) are exact.
    pub(crate) const MOST_TAPS: usize = 1 << 8;

    /// The largest integer that a weight of a window of so many pixels may be.
    pub(crate) const fn largest_weight(taps: usize) -> usize {
        (1 << f32::MANTISSA_DIGITS) / (255 * taps)
    }

    /// `weights` are `[blocks][kernel rows][kernel columns][16]`, integers, `bias` is `[blocks][64]`, see [`WORD_BIAS`].
    ///
    /// # Panics
    /// Where there are not enough of them, or input and result do not fit: a mistake in this crate, found when a plan is
    /// made and not when it runs.
    pub(crate) fn new(windows: SlidingWindows, weights: Packed, bias: AlignedBuffer, finish: Finish) -> Self {
        let blocks = windows.y().blocks();
        assert_eq!(windows.x().blocks(), blocks);
        assert!(windows.x().element != Element::Float && windows.taps() <= Self::MOST_TAPS);
        assert_eq!(windows.y().element != Element::Float, finish.stores_bytes());
        assert!(weights.len() >= blocks * windows.taps() * LANES);
        assert!(bias.len() >= blocks * WORD_BIAS);
        Self {
            weights,
            bias,
            finish,
            windows,
        }
    }

    /// Products in a sum.
    pub(crate) fn terms(&self) -> usize {
        self.windows.taps()
    }

    /// Convolves the rows of a region.
    ///
    /// # Panics
    /// Where a residual is missing, or is of other values or another size.
    pub(crate) fn run(&self, isa: Isa, x: View, residual: Option<View>, y: ViewMut) {
        assert_eq!((x.layout(), y.layout()), (self.windows.x(), self.windows.y()));
        assert!(residual.is_some() || !self.finish.adds_residual());
        let steps = self.windows.steps();
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
    layer: &'a ByteDepthwise,
    x: View<'a>,
    residual: Option<View<'a>>,
    y: ViewMut<'a>,
}

/// What the pixels of a row have in common.
#[derive(Clone, Copy)]
struct Row<'a> {
    layer: &'a ByteDepthwise,
    /// The first window.
    x: *const [u8; LANES],
    weights: &'a [f32],
    bias: &'a [f32],
    /// Null where none is added.
    residual: *const f32,
    r_step: usize,
    y: *mut f32,
    y_step: usize,
}

impl<const KERNEL: usize, const STRIDE: usize> Kernel for Rows<'_, KERNEL, STRIDE> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let layer = self.layer;
        let width = layer.windows.y().width;
        let y_step = layer.windows.y().pixel();
        let Region { blocks, rows, .. } = self.y.region().clone();
        for block in blocks {
            let taps = layer.windows.taps();
            for row in rows.clone() {
                let (residual, r_step) = match self.residual.as_ref().filter(|_| layer.finish.adds_residual())
                {
                    None => (std::ptr::null(), 0),
                    Some(from) if layer.finish.reads_bytes() => {
                        let bytes = from.bytes(block, row);
                        assert!(bytes.len() >= width);
                        (bytes.as_ptr().cast(), from.layout().pixel())
                    }
                    Some(from) => {
                        let numbers = from.row(block, row);
                        assert!(numbers.len() >= width);
                        (numbers.as_ptr().cast(), from.layout().pixel())
                    }
                };
                let y = if layer.finish.stores_bytes() {
                    self.y.bytes(block, row).as_mut_ptr().cast()
                } else {
                    self.y.row(block, row).as_mut_ptr().cast()
                };
                let row = Row {
                    layer,
                    x: self.x.values()[layer.windows.start(block, row)..].as_ptr().cast(),
                    weights: &layer.weights[block * taps * LANES..][..taps * LANES],
                    bias: &layer.bias[block * WORD_BIAS..][..WORD_BIAS],
                    residual,
                    r_step,
                    y,
                    y_step,
                };
                let mut at = 0;
                // SAFETY: the windows of all `width` pixels are inside of the plane, see `SlidingWindows`, and `run` has
                // checked that `x` has these planes. Residual and result are as long as a row.
                unsafe {
                    if S::VECTORS >= 16 {
                        while at + 8 <= width {
                            row.pixels::<S, 8, KERNEL, STRIDE>(simd, at);
                            at += 8;
                        }
                        if at + 7 == width {
                            row.pixels::<S, 7, KERNEL, STRIDE>(simd, at);
                            at += 7;
                        }
                    }
                    while at + 4 <= width {
                        row.pixels::<S, 4, KERNEL, STRIDE>(simd, at);
                        at += 4;
                    }
                    while at < width {
                        row.pixels::<S, 1, KERNEL, STRIDE>(simd, at);
                        at += 1;
                    }
                }
            }
        }
    }
}

/// The most pixels of a row that windows next to each other see.
const MOST_SEEN: usize = 7 * 2 + 5;

impl Row<'_> {
    /// `PIXELS` pixels, from `at` on.
    ///
    /// # Safety
    /// The row's pointers are valid for these pixels and their windows.
    #[inline(always)]
    unsafe fn pixels<S: Simd, const PIXELS: usize, const KERNEL: usize, const STRIDE: usize>(
        self,
        simd: S,
        at: usize,
    ) {
        let windows = &self.layer.windows;
        let steps = windows.steps();
        let [rows, columns] = if KERNEL == 0 { steps.kernel } else { [KERNEL; 2] };
        let stride = if STRIDE == 0 { steps.stride[1] } else { STRIDE };
        let line = windows.x().row() / windows.x().pixel();
        let mut sums = [simd.splat(0.0); PIXELS];
        for row in 0..rows {
            // SAFETY: the caller's promise.
            let x = unsafe {
                self.x
                    .add(row * line * if KERNEL == 0 { steps.dilation[0] } else { 1 } + at * stride)
            };
            let weight = |column: usize| simd.load_slice(&self.weights[(row * columns + column) * LANES..]);
            if KERNEL == 0 {
                for column in 0..columns {
                    for (pixel, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: as above.
                        let bytes = unsafe { &*x.add(pixel * stride + column * steps.dilation[1]) };
                        *sum = simd.mul_add(weight(column), simd.load_bytes(bytes), *sum);
                    }
                }
                continue;
            }
            // Each pixel becomes numbers once, though several windows see it.
            let mut seen = [simd.splat(0.0); MOST_SEEN];
            for (pixel, seen) in seen.iter_mut().enumerate().take((PIXELS - 1) * STRIDE + KERNEL) {
                // SAFETY: as above.
                *seen = simd.load_bytes(unsafe { &*x.add(pixel) });
            }
            for column in 0..columns {
                let weight = weight(column);
                for (pixel, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.mul_add(weight, seen[pixel * STRIDE + column], *sum);
                }
            }
        }
        let (factor, summand) = (simd.load_slice(self.bias), simd.load_slice(&self.bias[LANES..]));
        for (pixel, sum) in sums.into_iter().enumerate() {
            // Two operations, which are the same on every set.
            let value = simd.add(simd.mul(sum, factor), summand);
            let residual = self.residual.wrapping_add((at + pixel) * self.r_step);
            // SAFETY: the caller's promise.
            unsafe {
                let y = self.y.add((at + pixel) * self.y_step);
                self.layer
                    .finish
                    .store(simd, value, self.bias.as_ptr(), residual, y);
            }
        }
    }
}
