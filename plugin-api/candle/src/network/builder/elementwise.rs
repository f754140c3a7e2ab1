//! Layers that work element by element, or only rearrange channels.

use super::NetworkBuilder;
use modelzoo_kernels::graph::{Activation, Function, Op, Value};
use modelzoo_plugin_api::Result;

impl NetworkBuilder<'_> {
    /// `max(x, 0)`
    pub fn relu(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::Relu)
    }

    /// `min(max(x, 0), 6)`
    pub fn relu6(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::Relu6)
    }

    /// `x` where it is positive, `slope * x` elsewhere; the slope is in `0..=1`.
    pub fn leaky_relu(&mut self, x: Value, slope: f32) -> Result<Value> {
        self.activation(x, Activation::LeakyRelu(slope))
    }

    /// `x * sigmoid(x)`
    pub fn silu(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::Silu)
    }

    /// `x * min(max(x + 3, 0), 6) / 6`
    pub fn hardswish(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::HardSwish)
    }

    /// `min(max(x + 3, 0), 6) / 6`
    pub fn hardsigmoid(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::HardSigmoid)
    }

    /// `1 / (1 + exp(-x))`
    pub fn sigmoid(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::Sigmoid)
    }

    /// `x * (1 + erf(x / sqrt(2))) / 2`
    pub fn gelu(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::Gelu)
    }

    /// `torch.nn.functional.gelu` with `approximate="tanh"`.
    pub fn tanh_gelu(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::TanhGelu)
    }

    /// `x * sigmoid(1.702 * x)`, as CLIP has it.
    pub fn quick_gelu(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::QuickGelu)
    }

    /// `tanh(x)`
    pub fn tanh(&mut self, x: Value) -> Result<Value> {
        self.activation(x, Activation::Tanh)
    }

    /// `e^x`, of an x that is cut to -87 and 88.
    pub fn exp(&mut self, x: Value) -> Result<Value> {
        self.numbered("exp", Op::Function(Function::Exp), &[x])
    }

    /// `sin(x)`, for angles up to some thousands.
    pub fn sin(&mut self, x: Value) -> Result<Value> {
        self.numbered("sin", Op::Function(Function::Sin), &[x])
    }

    /// `min(max(x, -limit), limit)`
    pub fn clamp(&mut self, x: Value, limit: f32) -> Result<Value> {
        self.activation(x, Activation::Clamp(limit))
    }

    /// The sum of two values of one shape.
    pub fn add(&mut self, left: Value, right: Value) -> Result<Value> {
        self.numbered("add", Op::Add, &[left, right])
    }

    /// The product of two values of one shape, or of a value and one factor for each channel (a vector, or a map of
    /// 1 x 1).
    pub fn mul(&mut self, left: Value, right: Value) -> Result<Value> {
        self.numbered("mul", Op::Multiply, &[left, right])
    }

    /// Channels (or features) of all values, one after the other.
    pub fn cat(&mut self, values: &[Value]) -> Result<Value> {
        self.numbered("cat", Op::Concat, values)
    }

    /// Channels (or features) `start..start + count`, as `x.narrow(1, start, count)`.
    pub fn narrow(&mut self, x: Value, start: usize, count: usize) -> Result<Value> {
        self.numbered("narrow", Op::Slice { start, count }, &[x])
    }

    /// Channels (or features) in two halves, as `x.chunk(2, 1)`; the first has one more of an odd number.
    pub fn halves(&mut self, x: Value) -> Result<[Value; 2]> {
        let channels = self.channels(x)?;
        let half = channels.div_ceil(2);
        Ok([self.narrow(x, 0, half)?, self.narrow(x, half, channels - half)?])
    }

    /// Channels `[groups, channels / groups]` transposed, as ShuffleNet does.
    pub fn channel_shuffle(&mut self, x: Value, groups: usize) -> Result<Value> {
        self.numbered("channel_shuffle", Op::ChannelShuffle { groups }, &[x])
    }

    /// Softmax over the channels or features.
    pub fn softmax(&mut self, x: Value) -> Result<Value> {
        self.numbered("softmax", Op::Softmax, &[x])
    }

    /// A value as a vector, in the order of its elements.
    pub fn flatten(&mut self, x: Value) -> Result<Value> {
        self.numbered("flatten", Op::Flatten, &[x])
    }

    /// An activation, element by element, by its name; each has a method of its own as well.
    pub fn activation(&mut self, x: Value, activation: Activation) -> Result<Value> {
        let kind = match activation {
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::LeakyRelu(_) => "leaky_relu",
            Activation::Silu => "silu",
            Activation::HardSwish => "hardswish",
            Activation::HardSigmoid => "hardsigmoid",
            Activation::Sigmoid => "sigmoid",
            Activation::Gelu => "gelu",
            Activation::TanhGelu => "tanh_gelu",
            Activation::QuickGelu => "quick_gelu",
            Activation::Tanh => "tanh",
            Activation::Clamp(_) => "clamp",
        };
        self.numbered(kind, Op::Activation(activation), &[x])
    }
}
