//! ResNet, with torchvision's module names.
//!
//! Source: He et al., "Deep Residual Learning for Image Recognition" (2015), table 1; the bottleneck has its stride in
//! the 3x3 convolution, as torchvision has it.

use crate::{
    device::Placement,
    network::{Activation, Conv2d, Network, NetworkBuilder, Parameters, Pool, Value},
};
use modelzoo_plugin_api::Result;

/// Channels of the four stages; a bottleneck gives four times as many.
const CHANNELS: [usize; 4] = [64, 128, 256, 512];

/// What a stage is made of.
#[derive(Clone, Copy, PartialEq)]
enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3 and 1x1 convolutions.
    Bottleneck,
}

/// ResNet-18: `[3, 224, 224]` to `classes` logits; the 512 features before them are called `embedding`.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn resnet18(parameters: &dyn Parameters, classes: usize, placement: &Placement) -> Result<Network> {
    resnet(parameters, Block::Basic, [2, 2, 2, 2], classes, placement)
}

/// ResNet-34: `[3, 224, 224]` to `classes` logits; the 512 features before them are called `embedding`.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn resnet34(parameters: &dyn Parameters, classes: usize, placement: &Placement) -> Result<Network> {
    resnet(parameters, Block::Basic, [3, 4, 6, 3], classes, placement)
}

/// ResNet-50: `[3, 224, 224]` to `classes` logits; the 2048 features before them are called `embedding`.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn resnet50(parameters: &dyn Parameters, classes: usize, placement: &Placement) -> Result<Network> {
    resnet(parameters, Block::Bottleneck, [3, 4, 6, 3], classes, placement)
}

fn resnet(
    parameters: &dyn Parameters,
    block: Block,
    blocks: [usize; 4],
    classes: usize,
    placement: &Placement,
) -> Result<Network> {
    let mut network = NetworkBuilder::new(parameters);
    let image = network.input("image", [3, 224, 224])?;
    let stem = Conv2d::new(64, 7).stride(2).padding(3);
    let x = network.conv_norm_activation(["conv1", "bn1"], image, stem, Activation::Relu)?;
    let mut x = network.max_pool2d(x, Pool::new(3, 2, 1))?;
    for (stage, (channels, blocks)) in CHANNELS.into_iter().zip(blocks).enumerate() {
        for index in 0..blocks {
            let stride = if stage > 0 && index == 0 { 2 } else { 1 };
            let name = format!("layer{}.{index}", stage + 1);
            x = residual(&mut network.scope(&name), x, block, channels, stride)?;
        }
    }
    let x = network.adaptive_avg_pool2d(x, [1, 1])?;
    let x = network.flatten(x)?;
    network.alias("embedding", x)?;
    let logits = network.linear("fc", x, classes)?;
    network.build(&[logits], placement)
}

fn residual(
    network: &mut NetworkBuilder,
    input: Value,
    block: Block,
    channels: usize,
    stride: usize,
) -> Result<Value> {
    let convolutions = match block {
        Block::Basic => vec![
            Conv2d::new(channels, 3).stride(stride).padding(1),
            Conv2d::new(channels, 3).padding(1),
        ],
        Block::Bottleneck => vec![
            Conv2d::new(channels, 1),
            Conv2d::new(channels, 3).stride(stride).padding(1),
            Conv2d::new(4 * channels, 1),
        ],
    };
    let last = convolutions.len();
    let mut x = input;
    for (number, conv) in (1..).zip(convolutions) {
        let names = [format!("conv{number}"), format!("bn{number}")];
        x = network.conv_norm([&names[0], &names[1]], x, conv)?;
        if number < last {
            x = network.relu(x)?;
        }
    }
    let outputs = network.channels(x)?;
    let shortcut = if stride != 1 || network.channels(input)? != outputs {
        let widening = Conv2d::new(outputs, 1).stride(stride);
        network.conv_norm(["downsample.0", "downsample.1"], input, widening)?
    } else {
        input
    };
    let sum = network.add(x, shortcut)?;
    network.relu(sum)
}
