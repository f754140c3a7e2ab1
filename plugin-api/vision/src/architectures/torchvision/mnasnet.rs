//! MNASNet: inverted residuals that were searched for speed on phones.
//!
//! Source: Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile" (2018), figure 7.

use super::{Layers, MOST_LAYERS, ReadOff, Steps, classify};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The stride of each stage; the first stage is module 8.
const STRIDES: [usize; 6] = [2, 2, 2, 1, 2, 1];

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
    let x = layers.sequence(network, "layers.", 0, image, Steps::of(2))?;
    let x = network.relu(x)?;
    let x = layers.sequence(network, "layers.", 3, x, Steps::ONE)?;
    let x = network.relu(x)?;
    let mut x = layers.sequence(network, "layers.", 6, x, Steps::ONE)?;
    for (stage, stride) in STRIDES.into_iter().enumerate() {
        for block in 0..MOST_LAYERS {
            let name = format!("layers.{}.{block}", stage + 8);
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            x = residual(network, layers, &name, x, if block == 0 { stride } else { 1 })?;
        }
    }
    let x = layers.sequence(network, "layers.", 14, x, Steps::ONE)?;
    let x = network.relu(x)?;
    classify(network, "classifier.1", x, classes)
}

fn residual(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    input: Value,
    stride: usize,
) -> Result<Value> {
    let parts = format!("{name}.layers.");
    let x = layers.sequence(network, &parts, 0, input, Steps::ONE)?;
    let x = network.relu(x)?;
    let x = layers.sequence(network, &parts, 3, x, Steps::of(stride))?;
    let x = network.relu(x)?;
    let x = layers.sequence(network, &parts, 6, x, Steps::ONE)?;
    let x = if stride == 1 && network.channels(x)? == network.channels(input)? {
        network.add(x, input)?
    } else {
        x
    };
    network.alias(name, x)?;
    Ok(x)
}
