//! How a network is compiled.

use crate::{graph::Shape, simd::Isa};

/// More images than this gain nothing, and lengths of their values could overflow.
const MOST_IMAGES_TOGETHER: usize = 64;

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
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            input_shapes: None,
            threads: 0,
            direct_only: false,
            images_together: 4,
            isa: None,
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
