//! Steps of convolutions that go row by row: one of each channel on its own, and one with sums of `f64`.

use super::{
    super::{
        algorithm::Geometry,
        fuse::Layer,
        steps::{BlockStep, BlockWork, RowWork},
        weights::{Packing, pack_terms, scale_of, terms_length},
    },
    Builder,
    packing::PackedBlocks,
};
use crate::{
    graph::Weight,
    kernels::{
        depthwise::DepthwiseConvolution,
        wide::WideConvolution,
        windows::{SlidingWindows, WindowSteps},
    },
    memory::AlignedBuffer,
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
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let scale = scale_of(self.graph, layer);
        let data = weight.data();
        let length = terms_length(geometry.outputs, taps);
        let weights = self.packed.get(layer, Packing::Depthwise, length, |packed| {
            pack_terms(packed, geometry.outputs, taps, |channel, tap| {
                f64::from(data[channel * taps + tap]) * scale(channel)
            })
        });
        self.rows(layer, geometry, |windows| {
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
        self.rows(layer, geometry, |windows| {
            let stages = layer.epilogue.stages();
            RowWork::Wide(Box::new(WideConvolution::new(
                windows, weights, bias, stages, reads,
            )))
        })
    }

    /// The step of a convolution that goes row by row, given its windows.
    fn rows(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        work: impl FnOnce(SlidingWindows) -> RowWork,
    ) -> BlockStep {
        let x_place = self.place(layer.inputs[0]).clone();
        let (x, y) = (*x_place.layout(), self.part(layer.output));
        let steps = WindowSteps {
            kernel: geometry.kernel,
            stride: geometry.stride,
            dilation: geometry.dilation,
        };
        let windows = SlidingWindows::new(steps, geometry.padding, x, y.layout);
        BlockStep {
            work: BlockWork::Rows(work(windows)),
            x: x_place,
            z: self.residual(layer),
            y,
        }
    }
}
