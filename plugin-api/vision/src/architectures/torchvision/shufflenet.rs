//! ShuffleNetV2: half of the channels pass by, and are mixed with the others behind each unit.
//!
//! Source: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design" (2018), figure 3.

use super::{Layers, MOST_LAYERS, ReadOff, Steps, classify};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Pool, Value};
use modelzoo_plugin_api::Result;

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
    let x = layers.sequence(network, "conv1.", 0, image, Steps::of(2))?;
    let x = network.relu(x)?;
    let mut x = network.max_pool2d(x, Pool::new(3, 2, 1))?;
    for stage in 2..=4 {
        for number in 0..MOST_LAYERS {
            let name = format!("stage{stage}.{number}");
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            x = unit(network, layers, &name, x)?;
        }
    }
    let x = layers.sequence(network, "conv5.", 0, x, Steps::ONE)?;
    let x = network.relu(x)?;
    classify(network, "fc", x, classes)
}

/// A unit with a first branch of its own halves the map, and both branches see all channels.
fn unit(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, name: &str, input: Value) -> Result<Value> {
    let halves = layers.checkpoint.has_any(&format!("{name}.branch1."));
    let (aside, x, stride) = if halves {
        let branch = format!("{name}.branch1.");
        let aside = layers.sequence(network, &branch, 0, input, Steps::of(2))?;
        let aside = layers.sequence(network, &branch, 2, aside, Steps::ONE)?;
        (network.relu(aside)?, input, 2)
    } else {
        let [aside, x] = network.halves(input)?;
        (aside, x, 1)
    };
    let branch = format!("{name}.branch2.");
    let x = layers.sequence(network, &branch, 0, x, Steps::ONE)?;
    let x = network.relu(x)?;
    let x = layers.sequence(network, &branch, 3, x, Steps::of(stride))?;
    let x = layers.sequence(network, &branch, 5, x, Steps::ONE)?;
    let x = network.relu(x)?;
    let x = network.cat(&[aside, x])?;
    let x = network.channel_shuffle(x, 2)?;
    network.alias(name, x)?;
    Ok(x)
}
