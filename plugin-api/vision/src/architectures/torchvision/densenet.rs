//! DenseNet: each layer sees the results of all layers of its block before it.
//!
//! Source: Huang et al., "Densely Connected Convolutional Networks" (2016).

use super::{Described, MOST_LAYERS, ReadOff, classify};
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
    let layers = Layers(Described::new(checkpoint));
    let x = layers.0.convolve(network, "features.conv0", image, 2)?;
    let x = network.batch_norm("features.norm0", x)?;
    let x = network.relu(x)?;
    let mut x = network.max_pool2d(x, Pool::new(3, 2, 1))?;
    for block in 1..MOST_LAYERS {
        let name = format!("features.denseblock{block}");
        if !checkpoint.has_any(&format!("{name}.")) {
            break;
        }
        x = layers.block(network, &name, x)?;
        let name = format!("features.transition{block}");
        if checkpoint.has_any(&format!("{name}.")) {
            x = layers.convolve(network, &format!("{name}.norm"), &format!("{name}.conv"), x)?;
            x = network.avg_pool2d(x, Pool::new(2, 2, 0), true)?;
        }
    }
    let x = network.batch_norm("features.norm5", x)?;
    let x = network.relu(x)?;
    if checkpoint.has("classifier.weight") {
        return classify(network, "classifier", x, classes);
    }
    let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
    Ok(Outputs::Picture {
        embedding: network.flatten(mean)?,
        logits: None,
    })
}

struct Layers<'a>(Described<'a>);

impl Layers<'_> {
    fn block(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let mut results = vec![input];
        for layer in 1..MOST_LAYERS {
            let name = format!("{name}.denselayer{layer}");
            if !self.0.checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            let mut x = network.cat(&results)?;
            for part in 1..=2 {
                let [norm, conv] = ["norm", "conv"].map(|kind| self.part(&name, kind, part));
                x = self.convolve(network, &norm, &conv, x)?;
            }
            results.push(x);
        }
        let x = network.cat(&results)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// Files of the first versions have a dot before the number.
    fn part(&self, layer: &str, kind: &str, number: usize) -> String {
        let old = format!("{layer}.{kind}.{number}");
        if self.0.checkpoint.has(&format!("{old}.weight")) {
            old
        } else {
            format!("{layer}.{kind}{number}")
        }
    }

    /// A normalisation and an activation before a convolution.
    fn convolve(&self, network: &mut NetworkBuilder<'_>, norm: &str, conv: &str, x: Value) -> Result<Value> {
        let x = network.batch_norm(norm, x)?;
        let x = network.relu(x)?;
        self.0.convolve(network, conv, x, 1)
    }
}
