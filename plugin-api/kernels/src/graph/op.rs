//! The operators and their parameters.

use super::{Padding, Shape, Weight};
use std::sync::Arc;

/// What a node does. Operands are in [`Node::inputs`](super::Node::inputs), in the order that each variant names.
#[derive(Clone, Debug)]
pub enum Op {
    /// A network's input.
    Input,
    /// A trained value, the same for every image: a class token, positional embeddings.
    Constant(Weight),
    /// `torch.nn.Conv2d`.
    Convolution(Convolution),
    /// `torch.nn.ConvTranspose2d`.
    TransposedConvolution(TransposedConvolution),
    /// An activation, element by element.
    Activation(Activation),
    /// `scale[c] * x + shift[c]` for each channel or feature: batch normalisation in inference, layer scale.
    Affine {
        /// `[channels]`.
        scale: Weight,
        /// `[channels]`.
        shift: Weight,
    },
    /// The sum of two values of one shape.
    Add,
    /// The product of two values of one shape, or of a map and one factor for each channel.
    Multiply,
    /// Channels (or features) of all operands, one after the other.
    Concat,
    /// Tokens of all operands, one after the other.
    ConcatTokens,
    /// Channels (or features) `start..start + count`.
    Slice {
        /// The first channel.
        start: usize,
        /// How many.
        count: usize,
    },
    /// Channels `[groups, channels / groups]` transposed, as ShuffleNet does.
    ChannelShuffle {
        /// The number of groups.
        groups: usize,
    },
    /// `torch.nn.MaxPool2d`: padding counts as minus infinity.
    MaxPool(Pool),
    /// `torch.nn.AvgPool2d`.
    AveragePool {
        /// The window.
        pool: Pool,
        /// Whether padding counts in the divisor (torch's default).
        count_include_pad: bool,
    },
    /// `torch.nn.AdaptiveAvgPool2d` of a map.
    AdaptiveAveragePool {
        /// `[height, width]` of the result.
        size: [usize; 2],
    },
    /// `torch.nn.functional.interpolate` of a map.
    Upsample {
        /// How values between pixels are found.
        interpolation: Interpolation,
        /// The size of the result. With [`UpsampleSize::Like`] there is a second operand.
        size: UpsampleSize,
    },
    /// A value as a vector, in the order of its elements.
    Flatten,
    /// A map as one token for each pixel: `flatten(2).transpose(1, 2)`.
    ToTokens,
    /// Tokens as a map, a token for each pixel; the inverse of [`Op::ToTokens`].
    ToMap {
        /// `[height, width]` of the map.
        size: [usize; 2],
    },
    /// One token as a vector.
    SelectToken {
        /// Its index.
        index: usize,
    },
    /// Tokens of a sequence by their indices, in any order, any number of times: a part of it, windows of it.
    TakeTokens {
        /// The token that each token of the result is.
        indices: Arc<[usize]>,
    },
    /// The tokens of a sequence that another sequence of as many tokens has the largest features for, the largest
    /// first: `x[:, scores.max(-1).values.topk(count).indices]`. Of two that are equal the first one comes first.
    /// Operands are the tokens and the scores.
    TopTokens {
        /// How many.
        count: usize,
    },
    /// The largest features of each token or of a vector, the largest first: `x.topk(count).values`.
    TopFeatures {
        /// How many.
        count: usize,
    },
    /// The mean of all tokens.
    MeanTokens,
    /// `torch.nn.Linear` of a vector or of each token.
    Linear {
        /// `[out, in]`.
        weight: Weight,
        /// `[out]`.
        bias: Option<Weight>,
    },
    /// `torch.nn.LayerNorm` over the features of each token or vector, or over the channels of each pixel.
    LayerNorm(LayerNorm),
    /// Softmax over the features of each token or vector, or over the channels of each pixel.
    Softmax,
    /// Equal parts of a map's channels, each to mean 0 and variance 1 over all its pixels: `torch.nn.GroupNorm` without
    /// weight and bias, which an [`Op::Affine`] can have.
    GroupNorm {
        /// How many parts.
        groups: usize,
        /// Added to the variance.
        epsilon: f32,
    },
    /// Each of so many equal parts of the features of tokens, divided by its 2-norm: torch's `normalize` of each head.
    UnitLength {
        /// How many.
        parts: usize,
    },
    /// For each feature the 2-norm of all tokens, divided by the mean of these norms: a vector. It is the middle of the
    /// global response normalisation of Woo et al., "ConvNeXt V2" (2023), equations 1 and 2.
    ResponseNorms {
        /// Added to the mean.
        epsilon: f32,
    },
    /// A function of each element.
    Function(Function),
    /// Rotary positional embeddings of tokens.
    Rotate(Rotation),
    /// Scaled dot-product attention of three sequences: queries, keys, values.
    Attention(Attention),
    /// Scaled dot-product attention within windows of three sequences: queries, keys, values.
    WindowAttention(WindowAttention),
    /// Attention of queries to a few points of maps: values, offsets, scores and boxes; see [`DeformableAttention`].
    DeformableAttention(DeformableAttention),
}

/// `torch.nn.Conv2d`; the padding may differ between the sides.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// `[out, in / groups, kernel_height, kernel_width]`.
    pub weight: Weight,
    /// `[out]`.
    pub bias: Option<Weight>,
    /// `[vertical, horizontal]`.
    pub stride: [usize; 2],
    /// Zeros around the input; see `is_same`.
    pub padding: Padding,
    /// Whether there are as many zeros as [`Padding::same`] adds to an input of its size, whatever `padding` says.
    pub is_same: bool,
    /// `[vertical, horizontal]`.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Sums of `f64` instead of `f32`, by a slow kernel: for a layer whose large terms cancel.
    pub wide_sums: bool,
}

impl Convolution {
    /// Stride 1, no padding, no dilation, one group, sums of `f32`.
    pub fn new(weight: Weight, bias: Option<Weight>) -> Self {
        Self {
            weight,
            bias,
            stride: [1; 2],
            padding: Padding::default(),
            is_same: false,
            dilation: [1; 2],
            groups: 1,
            wide_sums: false,
        }
    }

    /// With this stride in both directions.
    pub fn stride(self, stride: usize) -> Self {
        Self {
            stride: [stride; 2],
            ..self
        }
    }

    /// With this padding on every side.
    pub fn padding(self, size: usize) -> Self {
        Self {
            padding: Padding::all(size),
            ..self
        }
    }

    /// With TensorFlow's padding `SAME`.
    pub fn same(self) -> Self {
        Self {
            is_same: true,
            ..self
        }
    }

    /// The zeros around an input of this shape.
    pub fn padding_of(&self, input: Shape) -> Padding {
        match input {
            Shape::Map { height, width, .. } if self.is_same => {
                Padding::same([height, width], self.kernel(), self.stride, self.dilation)
            }
            _ => self.padding,
        }
    }

    /// With this dilation in both directions.
    pub fn dilation(self, dilation: usize) -> Self {
        Self {
            dilation: [dilation; 2],
            ..self
        }
    }

    /// With this number of groups.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// `[kernel_height, kernel_width]`.
    pub fn kernel(&self) -> [usize; 2] {
        [self.weight.dims()[2], self.weight.dims()[3]]
    }
}

/// `torch.nn.ConvTranspose2d`, one group, no dilation.
#[derive(Clone, Debug)]
pub struct TransposedConvolution {
    /// `[in, out, kernel_height, kernel_width]`.
    pub weight: Weight,
    /// `[out]`.
    pub bias: Option<Weight>,
    /// `[vertical, horizontal]`.
    pub stride: [usize; 2],
    /// Rows and columns cut from each side of the result.
    pub padding: usize,
    /// Rows and columns added at the bottom and right of the result.
    pub output_padding: usize,
}

/// The window of a pooling layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `[height, width]`.
    pub kernel: [usize; 2],
    /// `[vertical, horizontal]`.
    pub stride: [usize; 2],
    /// Around the input.
    pub padding: Padding,
    /// Round the size of the result up, as torch's `ceil_mode`: no window starts beyond the input and its
    /// padding at the top and left.
    pub ceil_mode: bool,
}

impl Pool {
    /// A square window.
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: Padding::all(padding),
            ceil_mode: false,
        }
    }
}

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x` where it is positive, `slope * x` elsewhere; the slope is in `0..=1`.
    LeakyRelu(f32),
    /// `x * sigmoid(x)`
    Silu,
    /// `x * min(max(x + 3, 0), 6) / 6`
    HardSwish,
    /// `min(max(x + 3, 0), 6) / 6`
    HardSigmoid,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `x * (1 + erf(x / sqrt(2))) / 2`
    Gelu,
    /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2`, torch's `gelu` with `approximate="tanh"`.
    TanhGelu,
    /// `x * sigmoid(1.702 * x)`, as CLIP has it.
    QuickGelu,
    /// `tanh(x)`
    Tanh,
    /// `min(max(x, -limit), limit)`, torch's `Hardtanh`; the limit is 0 or more.
    Clamp(f32),
}

/// A function that is too rare to be the epilogue of other layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `e^x`, of an x that is cut to -87 and 88 so that the result is finite.
    Exp,
    /// `sin(x)`, for angles up to some thousands.
    Sin,
}

impl Activation {
    /// One of each kind, for tests of all; the slope is 0.1, the limit 0.5.
    pub const ALL: [Self; 12] = [
        Self::Relu,
        Self::Relu6,
        Self::LeakyRelu(0.1),
        Self::Silu,
        Self::HardSwish,
        Self::HardSigmoid,
        Self::Sigmoid,
        Self::Gelu,
        Self::TanhGelu,
        Self::QuickGelu,
        Self::Tanh,
        Self::Clamp(0.5),
    ];
}

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The pixel at `floor(x * input / output)`, as torch's `nearest`.
    Nearest,
    /// Between the four pixels around, as torch's `bilinear` without antialiasing.
    Bilinear {
        /// Whether corners of the input map onto corners of the result.
        align_corners: bool,
    },
}

/// The size of an upsampled map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsampleSize {
    /// This many times the input's `[height, width]`.
    Scale([usize; 2]),
    /// `[height, width]`.
    Exact([usize; 2]),
    /// The height and width of the second operand.
    Like,
}

/// `torch.nn.LayerNorm` over the features.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// `[features]`.
    pub weight: Weight,
    /// `[features]`.
    pub bias: Weight,
    /// Added to the variance; torch's default is 1e-5.
    pub epsilon: f32,
}

/// Scaled dot-product attention: `softmax(q k^T * scale) v` for each head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// Heads: features are split into this many equal parts.
    pub heads: usize,
    /// What products are multiplied with, 0 or more; `None` is `1 / sqrt(features of a head)`.
    pub scale: Option<f32>,
    /// Whether a token sees only itself and those before it.
    pub causal: bool,
}

/// Rotary positional embeddings (Su et al., "RoFormer", 2021, equation 34, with the pairs of features that lie half a head
/// apart): each head's features are `x * cosines + y * sines`, where `y` is the head with its halves exchanged, and the
/// first of them with the opposite sign.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Heads: features are split into this many equal parts.
    pub heads: usize,
    /// `[tokens, features of a head]`, finite.
    pub cosines: Weight,
    /// `[tokens, features of a head]`, finite.
    pub sines: Weight,
}

/// Scaled dot-product attention within equal parts of the sequences: `softmax(q k^T * scale + bias) v` for each head of
/// each window.
#[derive(Clone, Debug)]
pub struct WindowAttention {
    /// Heads: features are split into this many equal parts.
    pub heads: usize,
    /// What products are multiplied with, 0 or more; `None` is `1 / sqrt(features of a head)`.
    pub scale: Option<f32>,
    /// Windows: tokens are split into this many equal parts, and see those of their own part only.
    pub windows: usize,
    /// What is added to the scaled products, finite: `[windows, heads, queries, keys]` of a window, or
    /// `[1, heads, queries, keys]` where it is the same for all windows.
    pub bias: Weight,
}

/// Attention of queries to points around their boxes in maps of several sizes (Zhu et al., "Deformable DETR", 2020,
/// equation 3, for boxes as references).
///
/// Operands are sequences:
/// - values: a token for each pixel of each map, one map after the other, features split into heads;
/// - offsets: for each query `[heads, points, 2]`, the points of all maps one after the other, x before y;
/// - scores: for each query `[heads, points]`; their softmax is the weights of a head's points;
/// - boxes: for each query a centre and a size, `[x, y, width, height]` in parts of the maps.
///
/// A point is at `centre + offset * scale * size / points`, where `points` is how many its map has. Its value is
/// bilinear between the pixels around it, as torch's `grid_sample` has it with zeros outside and without aligned
/// corners.
#[derive(Clone, Debug, PartialEq)]
pub struct DeformableAttention {
    /// Heads: features are split into this many equal parts.
    pub heads: usize,
    /// The maps whose pixels the values are.
    pub levels: Arc<[Level]>,
    /// What offsets are multiplied with; 0.5 as published.
    pub scale: f32,
}

/// One of the maps of a [`DeformableAttention`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// `[height, width]`
    pub size: [usize; 2],
    /// The points of each head in it.
    pub points: usize,
}

impl DeformableAttention {
    /// The points of each head in all maps.
    pub fn points(&self) -> usize {
        self.levels.iter().map(|level| level.points).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind that is not in the list does not compile here.
    fn place(activation: Activation) -> usize {
        match activation {
            Activation::Relu => 0,
            Activation::Relu6 => 1,
            Activation::LeakyRelu(_) => 2,
            Activation::Silu => 3,
            Activation::HardSwish => 4,
            Activation::HardSigmoid => 5,
            Activation::Sigmoid => 6,
            Activation::Gelu => 7,
            Activation::TanhGelu => 8,
            Activation::QuickGelu => 9,
            Activation::Tanh => 10,
            Activation::Clamp(_) => 11,
        }
    }

    #[test]
    fn the_list_has_every_activation_once() {
        let places: Vec<usize> = Activation::ALL.into_iter().map(place).collect();
        assert_eq!(places, (0..Activation::ALL.len()).collect::<Vec<_>>());
    }
}
