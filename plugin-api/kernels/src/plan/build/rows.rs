//! Steps of convolutions that go row by row: one of each channel on its own, and one with sums of `f64`.

use super::{
    super::{
        algorithm::Geometry,
        fuse::Layer,
        steps::{BlockStep, BlockWork, RowWork},
        storage::Place,
        weights::{Packing, pack_pairs, terms_length},
    },
    Builder,
    packing::PackedBlocks,
};
use crate::{
    graph::Weight,
    kernels::{
        depthwise::DepthwiseConvolution,
        row_pairs::RowPairs,
        wide::WideConvolution,
        windows::{SlidingWindows, WindowSteps},
    },
    memory::{AlignedBuffer, Element, Packed},
};
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn depthwise(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        weight: &Weight,
        bias: Arc<AlignedBuffer>,
    ) -> BlockStep {
        if self.kinds.elements[layer.inputs[0]] == Element::Bf16 {
            return self.bf16_depthwise(layer, geometry, weight, &bias);
        }
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let weights = self.turned(layer, Packing::Depthwise, weight, taps, None);
        let (x, residual) = (self.place(layer.inputs[0]), self.residual(layer));
        self.rows(layer, geometry, x, residual, |windows| {
            let stages = layer.epilogue.stages();
            RowWork::Depthwise(DepthwiseConvolution::new(windows, weights, bias, stages))
        })
    }

    pub(super) fn wide(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        weight: &Weight,
        bias: Arc<AlignedBuffer>,
    ) -> BlockStep {
        let PackedBlocks { weights, reads, .. } = self.packed_blocks(layer, geometry, weight);
        let (x, residual) = (self.place(layer.inputs[0]), self.residual(layer));
        self.rows(layer, geometry, x, residual, |windows| {
            let stages = layer.epilogue.stages();
            RowWork::Wide(Box::new(WideConvolution::new(
                windows, weights, bias, stages, reads,
            )))
        })
    }

    /// The weights of a depthwise convolution on words, given the 16 bits of each channel's own.
    pub(super) fn row_pairs(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        packing: Packing,
        bits: impl Fn(usize, usize) -> u16,
    ) -> Packed {
        let words = RowPairs::of(&steps_of(geometry)).words(geometry.kernel[1]);
        let length = terms_length(geometry.outputs, words.len());
        self.packer.now(layer, packing, length, |packed| {
            pack_pairs(packed, geometry.outputs, &words, bits);
        })
    }

    /// The step of a convolution that goes row by row, given its windows.
    pub(super) fn rows(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        x: Place,
        z: Option<Place>,
        work: impl FnOnce(SlidingWindows) -> RowWork,
    ) -> BlockStep {
        let y = self.part(layer.output);
        let windows = SlidingWindows::new(steps_of(geometry), geometry.padding, *x.layout(), y.layout);
        BlockStep {
            work: BlockWork::Rows(work(windows)),
            x,
            z,
            y,
        }
    }
}

/// The windows of a convolution.
fn steps_of(geometry: &Geometry) -> WindowSteps {
    WindowSteps {
        kernel: geometry.kernel,
        stride: geometry.stride,
        dilation: geometry.dilation,
    }
}
