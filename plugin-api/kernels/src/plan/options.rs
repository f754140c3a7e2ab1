//! How a network is compiled.

use super::ranges::Ranges;
use crate::{graph::Shape, simd::Isa};
use std::sync::Arc;

/// More images than this gain nothing, and lengths of their values could overflow.
const MOST_IMAGES_TOGETHER: usize = 64;

/// What the sums of a network's convolutions and linear layers are made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// `f32`: 24 binary digits.
    #[default]
    Float,
    /// bf16, the upper halves of `f32`, of which 8 binary digits are left; sums are `f32`. This is about twice as fast
    /// where [`Isa::gains_by_bf16`], and slower elsewhere; weights need half of the memory. First layers, those of a single
    /// position (factors for channels, classes), grouped ones that are not depthwise, and those that Winograd's algorithm
    /// computes faster stay in `f32`, and so does arithmetic that is no sum of products. Results are the same for any
    /// batch and number of threads.
    Bf16,
}

/// How a network is compiled.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// Shapes of the inputs for one image; `None` leaves them as the graph has them.
    pub input_shapes: Option<Vec<Shape>>,
    /// Threads that one run may use; 0 is one for each core.
    pub threads: usize,
    /// Use direct convolution only: half of the speed of a network of 3x3 convolutions, a quarter of the memory
    /// for their weights.
    pub direct_only: bool,
    /// How many images may go together through layers with many weights and small maps: 1 to 64, or the nearest of
    /// these. More need more memory.
    pub images_together: usize,
    /// The instruction set; `None` is the best one of this machine.
    pub isa: Option<Isa>,
    /// What sums are made from, where `ranges` do not make it bytes.
    pub precision: Precision,
    /// The ranges of the layers' results. Where they are given, convolutions and linear layers of several positions are
    /// computed on bytes: weights are integers of 8 bits with a step for each output channel, results are 8 bits with
    /// a step for each channel. Sums are exact, so that these layers give the same for any batch and number of threads,
    /// and on every instruction set unless they end with an exponential. Layers whose ranges are not known, and the first
    /// ones, stay as they are.
    pub ranges: Option<Arc<Ranges>>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            input_shapes: None,
            threads: 0,
            direct_only: false,
            images_together: 4,
            isa: None,
            precision: Precision::default(),
            ranges: None,
        }
    }
}

impl PlanOptions {
    /// With every number in its range.
    pub(super) fn in_range(self) -> Self {
        Self {
            images_together: self.images_together.clamp(1, MOST_IMAGES_TOGETHER),
            ..self
        }
    }
}
