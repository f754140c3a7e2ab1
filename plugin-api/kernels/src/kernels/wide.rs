//! Direct convolution whose sums are `f64`: for layers whose large terms cancel, where sums of `f32` would keep the
//! rounding of the terms and not that of the result. Rare, so it is written for the compiler's vectors.

use super::{epilogue::Stages, reads::ReadBlocks, windows::SlidingWindows};
use crate::{
    memory::{AlignedBuffer, Packed, Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};
use std::sync::Arc;

/// A convolution with sums of `f64`, ready to run on one layout.
#[derive(Debug)]
pub(crate) struct WideConvolution {
    /// `[output blocks][input blocks that are read][kernel rows][kernel columns][input channels][16]`
    weights: Packed,
    /// `[output blocks][16]`
    bias: Arc<AlignedBuffer>,
    stages: Stages,
    windows: SlidingWindows,
    reads: ReadBlocks,
}

impl WideConvolution {
    /// `weights` are `[output blocks][input blocks that are read][kernel rows][kernel columns][input channels][16]`,
    /// `bias` is `[output blocks][16]`.
    ///
    /// # Panics
    /// Where there are not enough of them, or blocks are read that are not there: a mistake in this crate, found when a
    /// plan is made and not when it runs.
    pub(crate) fn new(
        windows: SlidingWindows,
        weights: Packed,
        bias: Arc<AlignedBuffer>,
        stages: Stages,
        reads: ReadBlocks,
    ) -> Self {
        let layer = Self {
            weights,
            bias,
            stages,
            windows,
            reads,
        };
        let (blocks, reads) = (layer.windows.y().blocks(), &layer.reads);
        assert_eq!(reads.firsts.len(), blocks);
        assert!((1..=LANES).contains(&reads.last_channels));
        let last = reads.firsts.iter().max().map_or(0, |first| first + reads.count);
        assert!(last <= layer.windows.x().blocks());
        assert!(layer.weights.len() >= blocks * layer.terms() * LANES);
        assert!(layer.bias.len() >= blocks * LANES);
        layer
    }

    /// Products in a sum.
    pub(crate) fn terms(&self) -> usize {
        self.reads.channels() * self.windows.taps()
    }

    /// Convolves the rows of a region.
    pub(crate) fn run(&self, isa: Isa, x: View, residual: Option<View>, y: ViewMut) {
        assert_eq!((x.layout(), y.layout()), (self.windows.x(), self.windows.y()));
        isa.run(Rows {
            layer: self,
            x,
            residual,
            y,
        });
    }
}

struct Rows<'a> {
    layer: &'a WideConvolution,
    x: View<'a>,
    residual: Option<View<'a>>,
    y: ViewMut<'a>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let width = self.layer.windows.y().width;
        let Region { blocks, rows, .. } = self.y.region().clone();
        for (block, row) in blocks.flat_map(|block| rows.clone().map(move |row| (block, row))) {
            let mut at = 0;
            while at + 2 <= width {
                self.pixels::<S, 2>(simd, (block, row), at);
                at += 2;
            }
            while at < width {
                self.pixels::<S, 1>(simd, (block, row), at);
                at += 1;
            }
        }
    }
}

impl Rows<'_> {
    /// `PIXELS` pixels of a row of a block, from `at` on.
    #[inline(always)]
    fn pixels<S: Simd, const PIXELS: usize>(&mut self, simd: S, (block, row): (usize, usize), at: usize) {
        let layer = self.layer;
        let sums = self.sums::<PIXELS>(block, row, at);
        let residual = self.residual.as_ref().map(|residual| residual.row(block, row));
        let y = self.y.row(block, row);
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
    fn sums<const PIXELS: usize>(&self, block: usize, row: usize, at: usize) -> [[f64; LANES]; PIXELS] {
        let layer = self.layer;
        let bias = &layer.bias[block * LANES..][..LANES];
        let mut sums = [std::array::from_fn(|lane| f64::from(bias[lane])); PIXELS];
        let mut weights = layer.weights[block * layer.terms() * LANES..].chunks_exact(LANES);
        let windows = &layer.windows;
        let steps = windows.steps();
        let step = steps.stride[1] * LANES;
        for read in 0..layer.reads.count {
            let channels = layer.reads.channels_of(read);
            let window = windows.start(layer.reads.firsts[block] + read, row) + at * step;
            for tap in 0..windows.taps() {
                let (down, right) = (tap / steps.kernel[1], tap % steps.kernel[1]);
                let from =
                    window + down * steps.dilation[0] * windows.x().row() + right * steps.dilation[1] * LANES;
                for channel in 0..channels {
                    let Some(weight) = weights.next() else {
                        unreachable!("`new` has counted the weights");
                    };
                    let weight: [f64; LANES] = std::array::from_fn(|lane| f64::from(weight[lane]));
                    for (pixel, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: the windows of all pixels are inside of their planes, see `SlidingWindows`, which `x`
                        // has, as `run` has checked.
                        let x = unsafe { *self.x.values().get_unchecked(from + pixel * step + channel) };
                        let x = f64::from(x);
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
