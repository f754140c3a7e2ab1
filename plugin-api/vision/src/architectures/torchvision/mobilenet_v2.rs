//! MobileNetV2: narrow maps between wide ones, which depthwise convolutions filter.
//!
//! Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2.

use super::{Described, ReadOff, classify};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
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
    let layers = Layers(Described::new(checkpoint));
    let mut x = layers.active(network, "features.0", image, 2)?;
    let mut index = 1;
    for (blocks, first) in STAGES {
        for block in 0..blocks {
            let stride = if block == 0 { first } else { 1 };
            x = layers.block(network, &format!("features.{index}"), x, stride)?;
            index += 1;
        }
    }
    let x = layers.active(network, &format!("features.{index}"), x, 1)?;
    classify(network, "classifier.1", x, classes)
}

struct Layers<'a>(Described<'a>);

impl Layers<'_> {
    /// A convolution, its normalisation and an activation: the modules `0`, `1` and `2` of a sequence.
    fn active(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, stride: usize) -> Result<Value> {
        let x = self.0.convolve(network, &format!("{name}.0"), x, stride)?;
        let x = network.batch_norm(&format!("{name}.1"), x)?;
        network.relu6(x)
    }

    /// Wider, filtered, narrower; the first block does not widen.
    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        stride: usize,
    ) -> Result<Value> {
        let widens = self.0.checkpoint.has(&format!("{name}.conv.3.weight"));
        let (mut x, mut next) = (input, 0);
        if widens {
            x = self.active(network, &format!("{name}.conv.0"), x, 1)?;
            next = 1;
        }
        x = self.active(network, &format!("{name}.conv.{next}"), x, stride)?;
        x = self
            .0
            .convolve(network, &format!("{name}.conv.{}", next + 1), x, 1)?;
        x = network.batch_norm(&format!("{name}.conv.{}", next + 2), x)?;
        if stride == 1 && network.channels(x)? == network.channels(input)? {
            x = network.add(x, input)?;
        }
        network.alias(name, x)?;
        Ok(x)
    }
}
