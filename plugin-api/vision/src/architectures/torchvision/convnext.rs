//! ConvNeXt.
//!
//! Source: Liu et al., "A ConvNet for the 2020s" (2022), section 2 and figure 4.

use super::{Layers, MOST_LAYERS, Steps, classes};
use crate::{
    architectures::{Architecture, Outputs, activation::Activation, transformer},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

const EPSILON: f32 = 1e-6;

struct ConvNext {
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(ConvNext {
        classes: classes(repository)?,
    }))
}

impl Architecture for ConvNext {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn depends_on_size(&self) -> bool {
        // Tokens are made maps of sizes that the description names.
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let layers = Layers::new(checkpoint);
        let x = layers.convolve(network, "features.0.0", image, Steps::of(4).padding(0))?;
        let mut x = network.layer_norm("features.0.1", x, EPSILON)?;
        for stage in 1..MOST_LAYERS {
            let name = format!("features.{stage}");
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            // Modules with odd numbers are blocks, those with even numbers halve the map.
            if stage.is_multiple_of(2) {
                x = network.layer_norm(&format!("{name}.0"), x, EPSILON)?;
                x = layers.convolve(network, &format!("{name}.1"), x, Steps::of(2).padding(0))?;
                continue;
            }
            for block in 0..MOST_LAYERS {
                let name = format!("{name}.{block}");
                if !checkpoint.has_any(&format!("{name}.")) {
                    break;
                }
                x = residual(network, layers, &name, x)?;
            }
            network.alias(&name, x)?;
        }
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let x = network.flatten(x)?;
        let embedding = network.layer_norm("classifier.0", x, EPSILON)?;
        Ok(Outputs::Picture {
            embedding,
            logits: Some(network.linear("classifier.2", embedding, self.classes)?),
        })
    }
}

fn residual(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, name: &str, input: Value) -> Result<Value> {
    let dims = network.dims(input)?;
    let (channels, size) = (dims[0], [dims[1], dims[2]]);
    let x = layers.convolve(network, &format!("{name}.block.0"), input, Steps::ONE)?;
    let x = network.layer_norm(&format!("{name}.block.2"), x, EPSILON)?;
    let names = [3, 5].map(|part| format!("{name}.block.{part}"));
    let [hidden, _] = layers.dims(&names[0])?;
    let x = network.to_tokens(x)?;
    let x = transformer::perceptron(network, [&names[0], &names[1]], hidden, Activation::Gelu, x)?;
    let x = network.to_map(x, size)?;
    let scale = network.parameter_view(&format!("{name}.layer_scale"), &[channels, 1, 1], &[channels])?;
    let x = network.mul(x, scale)?;
    let x = network.add(x, input)?;
    network.alias(name, x)?;
    Ok(x)
}
