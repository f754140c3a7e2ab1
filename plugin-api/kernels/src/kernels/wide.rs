//! Direct convolution whose sums are `f64`: for layers whose large terms cancel, where sums of `f32` would keep the
//! rounding of the terms and not that of the result. Rare, so it is written for the compiler's vectors.

use std::ops::Range;
use std::sync::Arc;

use super::epilogue::Stages;
use super::windows::SlidingWindows;
use crate::memory::{AlignedBuffer, Packed, View, ViewMut};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// A convolution with sums of `f64`, ready to run on one layout.
#[derive(Debug)]
pub(crate) struct WideConvolution {
    /// `[output blocks][input blocks that are read][kernel rows][kernel columns][input channels][16]`
    pub(crate) weights: Packed,
    /// `[output blocks][16]`
    pub(crate) bias: Arc<AlignedBuffer>,
    pub(crate) stages: Stages,
    pub(crate) windows: SlidingWindows,
    /// The first block of input channels that each block of output channels reads.
    pub(crate) first_blocks: Vec<usize>,
    /// How many blocks of input channels a block of output channels reads.
    pub(crate) read_blocks: usize,
    /// Input channels of the last block that is read; the others have 16.
    pub(crate) last_channels: usize,
}

impl WideConvolution {
    /// Checks that no window reads outside of the input and that there are weights for all blocks.
    ///
    /// # Panics
    /// Where one would: a mistake in this crate, found when a plan is made and not when it runs.
    pub(crate) fn checked(self) -> Self {
        let Self { windows, .. } = &self;
        windows.check();
        let blocks = windows.y.blocks();
        assert_eq!(self.first_blocks.len(), blocks);
        let last = self
            .first_blocks
            .iter()
            .max()
            .map_or(0, |first| first + self.read_blocks);
        assert!(last <= windows.x.blocks());
        assert!(self.weights.len() >= blocks * self.terms() * LANES);
        assert!(self.bias.len() >= blocks * LANES);
        self
    }

    /// Products in a sum.
    pub(crate) fn terms(&self) -> usize {
        ((self.read_blocks - 1) * LANES + self.last_channels) * self.windows.taps()
    }

    /// Convolves some rows of a block of one image.
    pub(crate) fn run(
        &self,
        isa: Isa,
        block: usize,
        rows: Range<usize>,
        x: View,
        residual: Option<View>,
        y: ViewMut,
    ) {
        assert_eq!((x.layout(), y.layout()), (&self.windows.x, &self.windows.y));
        isa.run(Rows {
            layer: self,
            block,
            rows,
            x,
            residual,
            y,
        });
    }
}

struct Rows<'a> {
    layer: &'a WideConvolution,
    block: usize,
    rows: Range<usize>,
    x: View<'a>,
    residual: Option<View<'a>>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let width = self.layer.windows.y.width;
        for row in self.rows.clone() {
            let mut at = 0;
            while at + 2 <= width {
                self.pixels::<S, 2>(simd, row, at);
                at += 2;
            }
            while at < width {
                self.pixels::<S, 1>(simd, row, at);
                at += 1;
            }
        }
    }
}

impl Rows<'_> {
    /// `PIXELS` pixels of a row, from `at` on.
    #[inline(always)]
    fn pixels<S: Simd, const PIXELS: usize>(&mut self, simd: S, row: usize, at: usize) {
        let layer = self.layer;
        let sums = self.sums::<PIXELS>(row, at);
        let residual = self
            .residual
            .as_ref()
            .map(|residual| residual.row(self.block, row));
        let y = self.y.row(self.block, row);
        for (pixel, sum) in sums.into_iter().enumerate() {
            let sum = simd.load(&sum.map(|value| value as f32));
            let value = layer.stages.finish(simd, sum, || match residual {
                Some(residual) => simd.load(&residual[at + pixel]),
                None => simd.splat(0.0),
            });
            simd.store(&mut y[at + pixel], value);
        }
    }

    /// Bias and products; those of two `f32` are exact in `f64`.
    #[inline(always)]
    fn sums<const PIXELS: usize>(&self, row: usize, at: usize) -> [[f64; LANES]; PIXELS] {
        let layer = self.layer;
        let bias = &layer.bias[self.block * LANES..][..LANES];
        let mut sums = [std::array::from_fn(|lane| f64::from(bias[lane])); PIXELS];
        let mut weights = layer.weights[self.block * layer.terms() * LANES..].chunks_exact(LANES);
        let first = layer.first_blocks[self.block];
        let windows = &layer.windows;
        let step = windows.stride[1] * LANES;
        for read in 0..layer.read_blocks {
            let channels = if read + 1 == layer.read_blocks {
                layer.last_channels
            } else {
                LANES
            };
            let window = windows.start(first + read, row) + at * step;
            for tap in 0..windows.taps() {
                let (down, right) = (tap / windows.kernel[1], tap % windows.kernel[1]);
                let from = window
                    + down * windows.dilation[0] * windows.x.row()
                    + right * windows.dilation[1] * LANES;
                for channel in 0..channels {
                    let Some(weight) = weights.next() else {
                        unreachable!("`checked` has counted the weights");
                    };
                    let weight: [f64; LANES] = std::array::from_fn(|lane| f64::from(weight[lane]));
                    for (pixel, sums) in sums.iter_mut().enumerate() {
                        let x = self.x.offset(from + pixel * step + channel);
                        // SAFETY: `checked` has shown that the windows of all pixels are inside of the image.
                        let x = f64::from(unsafe { *x });
                        for (sum, weight) in sums.iter_mut().zip(weight) {
                            *sum += x * weight;
                        }
                    }
                }
            }
        }
        sums
    }
}
