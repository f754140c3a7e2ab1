//! EfficientNet and EfficientNetV2.
//!
//! Sources: Tan and Le, "EfficientNet" (2019), table 1, and "EfficientNetV2" (2021), table 4.

use super::{Layers, MOST_LAYERS, Steps, classes, classify, inverted_residual::Block};
use crate::{
    architectures::{Architecture, Outputs, activation::Activation, excitation::Excitation},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The stride of each stage; some networks have not the last one.
const STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];

/// Parts of the names of those whose normalisations add more to variances.
const LARGE_EPSILON: [&str; 4] = ["_b5", "_b6", "_b7", "_v2"];

struct EfficientNet {
    epsilon: f64,
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let name = repository.config.text("architecture")?.unwrap_or_default();
    let is_large = LARGE_EPSILON.iter().any(|part| name.contains(part));
    Ok(Box::new(EfficientNet {
        epsilon: if is_large { 1e-3 } else { 1e-5 },
        classes: classes(repository)?,
    }))
}

impl Architecture for EfficientNet {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let layers = Layers {
            checkpoint,
            epsilon: self.epsilon,
        };
        let x = layers.sequence(network, "features.0.", 0, image, Steps::of(2))?;
        let mut x = network.silu(x)?;
        let mut last = 1;
        for stride in STRIDES {
            let stage = format!("features.{last}");
            if !checkpoint.has_any(&format!("{stage}.0.block.")) {
                break;
            }
            for number in 0..MOST_LAYERS {
                let name = format!("{stage}.{number}");
                if !checkpoint.has_any(&format!("{name}.")) {
                    break;
                }
                let block = Block {
                    stride: if number == 0 { stride } else { 1 },
                    dilation: 1,
                    activation: Activation::Silu,
                    excitation: Excitation::Smooth(Activation::Silu),
                };
                x = block.describe(network, layers, &name, x)?;
            }
            network.alias(&stage, x)?;
            last += 1;
        }
        let x = layers.sequence(network, &format!("features.{last}."), 0, x, Steps::ONE)?;
        let x = network.silu(x)?;
        classify(network, "classifier.1", x, self.classes)
    }
}
