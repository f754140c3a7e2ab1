//! Which kernel computes a convolution, and how far it reads beyond its input.

use super::{fuse::Layer, options::PlanOptions};
use crate::{
    graph::{Graph, Op, Padding, Shape},
    kernels::winograd,
    memory::Halo,
    simd::LANES,
};

/// A convolution or a linear layer, which is a convolution of 1x1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: Padding,
    pub(super) dilation: [usize; 2],
    pub(super) groups: usize,
    pub(super) wide_sums: bool,
}

/// How a layer with weights is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// Direct convolution of blocks of channels.
    Direct,
    /// Direct convolution that reads a network's input plane by plane.
    Planar,
    /// Direct convolution, each block of output channels from its own blocks of input channels.
    Grouped,
    /// Direct convolution, one group or several, with sums of `f64`.
    Wide,
    /// A kernel of its own for each channel.
    Depthwise,
    /// Winograd's F(4x4, 3x3).
    Winograd,
    /// A linear layer of vectors, with the images of a batch as its pixels.
    Batched,
    /// Direct convolution of bf16.
    Bf16,
    /// Direct convolution of bytes.
    Bytes,
    /// As `Depthwise`, of bytes.
    ByteDepthwise,
}

impl Geometry {
    /// The geometry of a layer that is a convolution or linear, for an input of this shape.
    pub(super) fn of(op: &Op, input: Shape) -> Option<Self> {
        match op {
            Op::Convolution(parameters) => Some(Self {
                inputs: parameters.weight.dims()[1] * parameters.groups,
                outputs: parameters.weight.dims()[0],
                kernel: parameters.kernel(),
                stride: parameters.stride,
                padding: parameters.padding_of(input),
                dilation: parameters.dilation,
                groups: parameters.groups,
                wide_sums: parameters.wide_sums,
            }),
            Op::Linear { weight, .. } => Some(Self {
                inputs: weight.dims()[1],
                outputs: weight.dims()[0],
                kernel: [1; 2],
                stride: [1; 2],
                padding: Padding::default(),
                dilation: [1; 2],
                groups: 1,
                wide_sums: false,
            }),
            _ => None,
        }
    }

    fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.inputs && self.groups == self.outputs
    }
}

/// Chooses the algorithm of a layer, if it is a convolution or linear.
pub(super) fn choose(graph: &Graph, layer: &Layer, options: &PlanOptions) -> Option<(Geometry, Algorithm)> {
    // Layers without an operand have no weights either.
    let input = graph.shapes()[*layer.inputs.first()?];
    let geometry = Geometry::of(&graph.nodes()[layer.node].op, input)?;
    let output = graph.shapes()[layer.node];
    let is_constant = matches!(graph.nodes()[layer.inputs[0]].op, Op::Constant(_));
    let algorithm = if geometry.wide_sums {
        Algorithm::Wide
    } else if geometry.is_depthwise() {
        Algorithm::Depthwise
    } else if geometry.groups > 1 {
        Algorithm::Grouped
    } else if matches!(input, Shape::Vector { .. }) {
        Algorithm::Batched
    } else if is_planar(graph, layer, &geometry) {
        Algorithm::Planar
    } else if !options.direct_only && !is_constant && winograd_pays(&geometry, output) {
        Algorithm::Winograd
    } else {
        Algorithm::Direct
    };
    Some((geometry, algorithm))
}

/// A network's input has few channels: reading it plane by plane needs no blocks that are mostly empty.
fn is_planar(graph: &Graph, layer: &Layer, geometry: &Geometry) -> bool {
    let is_input = matches!(graph.nodes()[layer.inputs[0]].op, Op::Input);
    let is_map = matches!(graph.shapes()[layer.inputs[0]], Shape::Map { .. });
    is_input && is_map && geometry.inputs <= LANES / 2 && geometry.dilation[1] == 1
}

/// Whether Winograd's algorithm takes less time than 9 products for each result.
fn winograd_pays(geometry: &Geometry, output: Shape) -> bool {
    let fits = geometry.kernel == [3, 3] && geometry.stride == [1, 1] && geometry.dilation == [1, 1];
    let Shape::Map { height, width, .. } = output else {
        return false;
    };
    if !fits {
        return false;
    }
    let direct = 9 * height * width * geometry.inputs * geometry.outputs.next_multiple_of(LANES);
    winograd::cost(geometry.inputs, geometry.outputs, [height, width]) < direct
}

/// The zeros that a convolution needs around its input.
pub(super) fn halo(geometry: &Geometry, algorithm: Algorithm, input: Shape, output: Shape) -> Halo {
    let (
        Shape::Map { height, width, .. },
        Shape::Map {
            height: rows,
            width: columns,
            ..
        },
    ) = (input, output)
    else {
        return Halo::default();
    };
    let reach = |axis: usize, results: usize| {
        if algorithm == Algorithm::Winograd {
            winograd::needed_rows(results)
        } else {
            (results - 1) * geometry.stride[axis] + (geometry.kernel[axis] - 1) * geometry.dilation[axis] + 1
        }
    };
    Halo {
        top: geometry.padding.top,
        bottom: reach(0, rows).saturating_sub(geometry.padding.top + height),
        left: geometry.padding.left,
        right: reach(1, columns).saturating_sub(geometry.padding.left + width),
    }
}

/// One of the `stride x stride` convolutions that a transposed convolution consists of: that of the results
/// whose row (or column) plus the padding leaves the rest `phase` when divided by the stride.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    /// Weights that such a result sees; at least one, which may lie beyond the kernel and is zero then.
    pub(super) taps: usize,
    /// The first result.
    pub(super) first: usize,
    /// How many results there are, `stride` apart.
    pub(super) count: usize,
    /// The first row of input that the first result sees; negative in the padding.
    pub(super) start: isize,
}

impl Phase {
    /// The phases along one axis.
    pub(super) fn all(kernel: usize, stride: usize, padding: usize, results: usize) -> Vec<Self> {
        (0..stride)
            .map(|phase| {
                let taps = kernel.saturating_sub(phase).div_ceil(stride).max(1);
                // result + padding = stride * q + phase
                let q = padding.saturating_sub(phase).div_ceil(stride);
                let first = stride * q + phase - padding;
                let count = if first < results {
                    (results - 1 - first) / stride + 1
                } else {
                    0
                };
                Self {
                    taps,
                    first,
                    count,
                    start: q as isize - (taps as isize - 1),
                }
            })
            .collect()
    }

    /// Which weight of the kernel a tap is, counted in the direction of the input; outside of the kernel it is
    /// zero.
    pub(super) fn weight(&self, phase: usize, stride: usize, tap: usize) -> usize {
        phase + stride * (self.taps - 1 - tap)
    }

    /// Zeros needed before and behind an input of this length.
    pub(super) fn halo(&self, length: usize) -> (usize, usize) {
        let end = self.start + (self.count + self.taps) as isize - 1;
        (
            (-self.start).max(0) as usize,
            (end - length as isize).max(0) as usize,
        )
    }
}
