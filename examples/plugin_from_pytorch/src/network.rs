//! The network, with the names that its weights have in PyTorch.
//!
//! Source: Tan and Le, "EfficientNet" (2019), table 1; "Lite" has no squeeze-and-excitation, ReLU6, and a stem and a head of
//! one size.

use modelzoo_candle::{
    device::Placement,
    network::{Conv2d, Network, NetworkBuilder, Padding, Parameters, Value},
};
use modelzoo_plugin_api::Result;

/// Classes of ImageNet-1k.
const CLASSES: usize = 1000;

/// Of the batch normalisations, as in TensorFlow.
const EPSILON: f64 = 1e-3;

/// Groups of blocks: kernel, stride of the first, expansion of the channels, output channels, how many.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
];

/// `[3, 224, 224]` to 1000 logits, called `logits`, by way of 1280 features, called `features`.
pub fn efficientnet_lite0(parameters: &dyn Parameters, placement: &Placement) -> Result<Network> {
    let mut network = NetworkBuilder::new(parameters);
    let image = network.input("image", [3, 224, 224])?;
    let stem = Layer::new(32, 3).stride(2);
    let mut x = stem.add(&mut network, "_conv_stem", "_bn0", image)?;
    let mut index = 0;
    for (kernel, first_stride, expansion, channels, blocks) in STAGES {
        for block in 0..blocks {
            let depthwise = Layer::new(0, kernel).stride(if block == 0 { first_stride } else { 1 });
            x = inverted_residual(&mut network, index, x, expansion, depthwise, channels)?;
            index += 1;
        }
    }
    let x = Layer::new(1280, 1).add(&mut network, "_conv_head", "_bn1", x)?;
    let x = network.adaptive_avg_pool2d(x, [1, 1])?;
    let features = network.flatten(x)?;
    network.alias("features", features)?;
    let logits = network.linear("_fc", features, CLASSES)?;
    network.alias("logits", logits)?;
    network.build(&[logits], placement)
}

/// Expands the channels, filters each by itself, and projects them; adds the operand where the shape allows it.
fn inverted_residual(
    network: &mut NetworkBuilder,
    index: usize,
    input: Value,
    expansion: usize,
    depthwise: Layer,
    channels: usize,
) -> Result<Value> {
    let name = |part: &str| format!("_blocks.{index}.{part}");
    let inputs = network.channels(input)?;
    let hidden = inputs * expansion;
    let mut x = input;
    if expansion != 1 {
        x = Layer::new(hidden, 1).add(network, &name("_expand_conv"), &name("_bn0"), x)?;
    }
    let depthwise = Layer {
        channels: hidden,
        groups: hidden,
        ..depthwise
    };
    let x = depthwise.add(network, &name("_depthwise_conv"), &name("_bn1"), x)?;
    let x = network.conv2d(&name("_project_conv"), x, Conv2d::new(channels, 1).without_bias())?;
    let x = network.batch_norm_with_epsilon(&name("_bn2"), x, EPSILON)?;
    match depthwise.stride == 1 && inputs == channels {
        true => network.add(input, x),
        false => Ok(x),
    }
}

/// A convolution with its normalisation and ReLU6.
#[derive(Clone, Copy)]
struct Layer {
    channels: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
}

impl Layer {
    fn new(channels: usize, kernel: usize) -> Self {
        Self {
            channels,
            kernel,
            stride: 1,
            groups: 1,
        }
    }

    fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    fn add(self, network: &mut NetworkBuilder, conv: &str, norm: &str, x: Value) -> Result<Value> {
        let dims = network.dims(x)?;
        let [top, bottom] = same(dims[1], self.kernel, self.stride);
        let [left, right] = same(dims[2], self.kernel, self.stride);
        let settings = Conv2d::new(self.channels, self.kernel)
            .stride(self.stride)
            .groups(self.groups)
            .uneven_padding(Padding {
                top,
                bottom,
                left,
                right,
            })
            .without_bias();
        let x = network.conv2d(conv, x, settings)?;
        let x = network.batch_norm_with_epsilon(norm, x, EPSILON)?;
        network.relu6(x)
    }
}

/// TensorFlow's padding `SAME`: as many zeros before and after as the result needs to have a stride-th of the size, the odd one
/// after.
fn same(size: usize, kernel: usize, stride: usize) -> [usize; 2] {
    let covered = (size.div_ceil(stride) - 1) * stride + kernel;
    let zeros = covered.saturating_sub(size);
    [zeros / 2, zeros - zeros / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_candle::{
        candle_core::{DType, Device, Tensor},
        network::RandomParameters,
    };

    #[test]
    fn the_network_has_a_logit_for_each_class() {
        let network = efficientnet_lite0(&RandomParameters::new(1), &Placement::cpu()).unwrap();
        let picture = Tensor::zeros((1, 3, 224, 224), DType::F32, &Device::Cpu).unwrap();
        let logits = &network.forward(&picture).unwrap()[0];
        assert_eq!(logits.dims(), [1, CLASSES]);
    }

    #[test]
    fn zeros_are_added_as_tensorflow_does() {
        assert_eq!(same(224, 3, 2), [0, 1]);
        assert_eq!(same(112, 3, 1), [1, 1]);
        assert_eq!(same(56, 5, 2), [1, 2]);
        assert_eq!(same(7, 1, 1), [0, 0]);
    }
}
