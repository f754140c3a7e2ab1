//! VGG and AlexNet: convolutions one after the other, then three linear layers.
//!
//! Sources: Simonyan and Zisserman, "Very Deep Convolutional Networks" (2014), table 1; Krizhevsky, "One weird trick for
//! parallelizing convolutional neural networks" (2014).

use super::{Layers, MOST_LAYERS, Steps, classes};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Pool, Value};
use modelzoo_plugin_api::Result;

/// The last of the linear layers, which tells classes apart.
const LAST: usize = 6;

struct Vgg {
    stem: Steps,
    pool: Pool,
    /// Rows and columns of the map that the linear layers see.
    grid: [usize; 2],
    /// The linear layers before the last one.
    hidden: [usize; 2],
    classes: usize,
}

pub(in crate::architectures) fn vgg(repository: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(Vgg {
        stem: Steps::ONE,
        pool: Pool::new(2, 2, 0),
        grid: [7; 2],
        hidden: [0, 3],
        classes: classes(repository)?,
    }))
}

pub(in crate::architectures) fn alexnet(repository: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(Vgg {
        stem: Steps::of(4).padding(2),
        pool: Pool::new(3, 2, 0),
        grid: [6; 2],
        hidden: [1, 4],
        classes: classes(repository)?,
    }))
}

impl Architecture for Vgg {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let layers = Layers::new(checkpoint);
        let x = self.features(network, layers, image)?;
        let x = network.adaptive_avg_pool2d(x, self.grid)?;
        let mut x = network.flatten(x)?;
        for index in self.hidden {
            x = layers.linear(network, &format!("classifier.{index}"), x)?;
            x = network.relu(x)?;
        }
        let logits = network.linear(&format!("classifier.{LAST}"), x, self.classes)?;
        Ok(Outputs::Picture {
            embedding: x,
            logits: Some(logits),
        })
    }
}

impl Vgg {
    /// The numbers of the modules tell what is between two convolutions: a normalisation has tensors, an activation and
    /// a pooling have none.
    fn features(&self, network: &mut NetworkBuilder<'_>, layers: Layers<'_>, image: Value) -> Result<Value> {
        let convolutions: Vec<usize> = (0..MOST_LAYERS)
            .filter(|index| {
                let weight = format!("features.{index}.weight");
                layers
                    .checkpoint
                    .dims(&weight)
                    .is_some_and(|dims| dims.len() == 4)
            })
            .collect();
        let mut x = image;
        for (place, &index) in convolutions.iter().enumerate() {
            let name = format!("features.{index}");
            let steps = if index == 0 { self.stem } else { Steps::ONE };
            x = layers.convolve(network, &name, x, steps)?;
            let mut next = index + 1;
            if layers.has(&format!("features.{next}")) {
                x = network.batch_norm(&format!("features.{next}"), x)?;
                next += 1;
            }
            x = network.relu(x)?;
            if convolutions.get(place + 1) != Some(&(next + 1)) {
                x = network.max_pool2d(x, self.pool)?;
            }
        }
        Ok(x)
    }
}
