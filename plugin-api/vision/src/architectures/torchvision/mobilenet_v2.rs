//! MobileNetV2: narrow maps between wide ones, which depthwise convolutions filter.
//!
//! Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2.

use super::{Layers, ReadOff, Steps, classify};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::{
    blocks::InvertedResidual,
    network::{NetworkBuilder, Value},
};
use modelzoo_plugin_api::Result;

/// Blocks of each stage, and the stride of its first one.
const STAGES: [(usize, usize); 7] = [(1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1)];

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    ReadOff::boxed(repository, describe)
}

fn describe(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    image: Value,
    classes: usize,
) -> Result<Outputs> {
    let layers = Layers::new(checkpoint);
    let x = layers.sequence(network, "features.0.", 0, image, Steps::of(2))?;
    let mut x = network.relu6(x)?;
    let mut index = 1;
    for (blocks, first) in STAGES {
        for block in 0..blocks {
            let stride = if block == 0 { first } else { 1 };
            let name = format!("features.{index}");
            x = residual(network, layers, &name, x, stride)?;
            index += 1;
        }
    }
    let x = layers.sequence(network, &format!("features.{index}."), 0, x, Steps::ONE)?;
    let x = network.relu6(x)?;
    classify(network, "classifier.1", x, classes)
}

/// Wider, filtered, narrower; the first block does not widen.
fn residual(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    input: Value,
    stride: usize,
) -> Result<Value> {
    let widens = layers.has(&format!("{name}.conv.3"));
    let narrowing = if widens { "conv.2" } else { "conv.1" };
    let [channels, width, ..] = layers.dims::<4>(&format!("{name}.{narrowing}"))?;
    let block = InvertedResidual::new(channels, 1).width(width).stride(stride);
    let x = block.describe(&mut network.scope(name), input)?;
    network.alias(name, x)?;
    Ok(x)
}
