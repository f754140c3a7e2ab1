//! The network, with the names that its weights have in PyTorch.
//!
//! Source: Tan and Le, "EfficientNet" (2019), table 1; "Lite" has no squeeze-and-excitation, ReLU6, and a stem and a head of
//! one size.

use modelzoo_candle::{
    blocks::{BlockNames, InvertedResidual},
    device::Placement,
    network::{Activation, Conv2d, Network, NetworkBuilder, Parameters},
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
    let mut network = NetworkBuilder::new(parameters).with_batch_norm_epsilon(EPSILON);
    let image = network.input("image", [3, 224, 224])?;
    let stem = Conv2d::new(32, 3).stride(2).same();
    let mut x = network.conv_norm_activation(["_conv_stem", "_bn0"], image, stem, Activation::Relu6)?;
    let mut index = 0;
    for (kernel, first_stride, expansion, channels, blocks) in STAGES {
        for block in 0..blocks {
            x = InvertedResidual::new(channels, expansion)
                .kernel(kernel)
                .stride(if block == 0 { first_stride } else { 1 })
                .same()
                .names(BlockNames::EfficientNetPyTorch)
                .describe(&mut network.scope(&format!("_blocks.{index}")), x)?;
            index += 1;
        }
    }
    let head = Conv2d::new(1280, 1);
    let x = network.conv_norm_activation(["_conv_head", "_bn1"], x, head, Activation::Relu6)?;
    let x = network.adaptive_avg_pool2d(x, [1, 1])?;
    let features = network.flatten(x)?;
    network.alias("features", features)?;
    let logits = network.linear("_fc", features, CLASSES)?;
    network.alias("logits", logits)?;
    network.build(&[logits], placement)
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
}
