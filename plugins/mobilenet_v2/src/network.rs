//! The network, with torchvision's module names.
//!
//! Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2.

use modelzoo_candle::{
    blocks::InvertedResidual,
    device::Placement,
    network::{Activation, Conv2d, Network, NetworkBuilder, Parameters, Value},
};
use modelzoo_plugin_api::Result;

/// Classes of ImageNet-1k.
const CLASSES: usize = 1000;

/// Groups of equal blocks: expansion of the channels within a block, output channels, blocks, stride of the first.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// MobileNetV2 of width 1.0: `[3, 224, 224]` to 1000 logits, called `logits`.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn mobilenet_v2(parameters: &dyn Parameters, placement: &Placement) -> Result<Network> {
    let mut network = NetworkBuilder::new(parameters);
    let image = network.input("image", [3, 224, 224])?;
    let stem = Conv2d::new(32, 3).stride(2).padding(1);
    let mut x = conv_norm_relu6(&mut network.scope("features.0"), image, stem)?;
    let mut index = 1;
    for (expansion, channels, blocks, first_stride) in STAGES {
        for block in 0..blocks {
            let stride = if block == 0 { first_stride } else { 1 };
            x = InvertedResidual::new(channels, expansion)
                .stride(stride)
                .describe(&mut network.scope(&format!("features.{index}")), x)?;
            index += 1;
        }
    }
    let last = Conv2d::new(1280, 1);
    let x = conv_norm_relu6(&mut network.scope(&format!("features.{index}")), x, last)?;
    let x = network.adaptive_avg_pool2d(x, [1, 1])?;
    let x = network.flatten(x)?;
    let logits = network.linear("classifier.1", x, CLASSES)?;
    network.alias("logits", logits)?;
    network.build(&[logits], placement)
}

fn conv_norm_relu6(network: &mut NetworkBuilder, x: Value, conv: Conv2d) -> Result<Value> {
    network.conv_norm_activation(["0", "1"], x, conv, Activation::Relu6)
}
