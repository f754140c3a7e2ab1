//! SqueezeNet: a few channels, widened by convolutions of two sizes.
//!
//! Source: Iandola et al., "SqueezeNet" (2016), table 1; version 1.1 is that of the authors' repository.

use super::{Layers, ReadOff, Steps};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Pool, Value};
use modelzoo_plugin_api::Result;

/// The modules of both versions, the first convolution and its activation included.
const MODULES: usize = 13;

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
    let x = layers.convolve(network, "features.0", image, Steps::of(2).padding(0))?;
    let mut x = network.relu(x)?;
    for module in 2..MODULES {
        let name = format!("features.{module}");
        x = if checkpoint.has_any(&format!("{name}.")) {
            fire(network, layers, &name, x)?
        } else {
            let pool = Pool {
                ceil_mode: true,
                ..Pool::new(3, 2, 0)
            };
            network.max_pool2d(x, pool)?
        };
    }
    let embedding = network.adaptive_avg_pool2d(x, [1, 1])?;
    let embedding = network.flatten(embedding)?;
    // The classifier is a convolution, whose maps are averaged behind their activation.
    let x = network.conv2d("classifier.1", x, Conv2d::new(classes, 1))?;
    let x = network.relu(x)?;
    let x = network.adaptive_avg_pool2d(x, [1, 1])?;
    Ok(Outputs::Picture {
        embedding,
        logits: Some(network.flatten(x)?),
    })
}

fn fire(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, name: &str, x: Value) -> Result<Value> {
    let x = layers.convolve(network, &format!("{name}.squeeze"), x, Steps::ONE)?;
    let x = network.relu(x)?;
    let mut wide = Vec::new();
    for part in ["expand1x1", "expand3x3"] {
        let part = layers.convolve(network, &format!("{name}.{part}"), x, Steps::ONE)?;
        wide.push(network.relu(part)?);
    }
    let x = network.cat(&wide)?;
    network.alias(name, x)?;
    Ok(x)
}
