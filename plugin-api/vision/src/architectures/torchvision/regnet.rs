//! RegNet X and Y: residual bottlenecks of grouped convolutions, in stages whose widths follow a line.
//!
//! Source: Radosavovic et al., "Designing Network Design Spaces" (2020), section 3.4 and appendix A.

use super::{Layers, MOST_LAYERS, ReadOff, Steps, classify, inverted_residual::excite};
use crate::{
    architectures::{Architecture, Outputs, activation::Activation},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
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
    let x = layers.sequence(network, "stem.", 0, image, Steps::of(2))?;
    let mut x = network.relu(x)?;
    for stage in 1..=4 {
        let root = format!("trunk_output.block{stage}");
        for block in 0..MOST_LAYERS {
            let name = format!("{root}.block{stage}-{block}");
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            x = residual(network, layers, &name, x, if block == 0 { 2 } else { 1 })?;
        }
        network.alias(&root, x)?;
    }
    classify(network, "fc", x, classes)
}

fn residual(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    input: Value,
    stride: usize,
) -> Result<Value> {
    let x = layers.sequence(network, &format!("{name}.f.a."), 0, input, Steps::ONE)?;
    let x = network.relu(x)?;
    let x = layers.sequence(network, &format!("{name}.f.b."), 0, x, Steps::of(stride))?;
    let mut x = network.relu(x)?;
    let excitation = format!("{name}.f.se");
    if layers.has(&format!("{excitation}.fc1")) {
        x = excite(network, layers, &excitation, x, Activation::Relu, false)?;
    }
    let x = layers.sequence(network, &format!("{name}.f.c."), 0, x, Steps::ONE)?;
    let shortcut = format!("{name}.proj.");
    let input = if layers.checkpoint.has_any(&shortcut) {
        layers.sequence(network, &shortcut, 0, input, Steps::of(stride))?
    } else {
        input
    };
    let x = network.add(x, input)?;
    let x = network.relu(x)?;
    network.alias(name, x)?;
    Ok(x)
}
