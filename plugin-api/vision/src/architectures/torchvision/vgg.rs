//! VGG and AlexNet: convolutions one after the other, then three linear layers; in timm, where it has VGG too, the first two
//! are convolutions.
//!
//! Sources: Simonyan and Zisserman, "Very Deep Convolutional Networks" (2014), table 1; Krizhevsky, "One weird trick for
//! parallelizing convolutional neural networks" (2014).

use super::{Layers, MOST_LAYERS, Steps, classes};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::{Form, Repository},
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
    /// Whether a map that is too small is made larger, which depends on the picture.
    may_enlarge: bool,
}

/// The convolutions of timm's that are linear layers elsewhere, and its classifier.
const CONVOLVED: [&str; 2] = ["pre_logits.fc1", "pre_logits.fc2"];
const CLASSIFIER: &str = "head.fc";

pub(in crate::architectures) fn vgg(repository: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(Vgg {
        stem: Steps::ONE,
        pool: Pool::new(2, 2, 0),
        grid: [7; 2],
        hidden: [0, 3],
        classes: classes(repository)?,
        may_enlarge: repository.form == Form::Timm,
    }))
}

pub(in crate::architectures) fn alexnet(repository: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(Vgg {
        stem: Steps::of(4).padding(2),
        pool: Pool::new(3, 2, 0),
        grid: [6; 2],
        hidden: [1, 4],
        classes: classes(repository)?,
        may_enlarge: false,
    }))
}

impl Architecture for Vgg {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn depends_on_size(&self) -> bool {
        self.may_enlarge
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let layers = Layers::new(checkpoint);
        let x = self.features(network, layers, image)?;
        if layers.has(CONVOLVED[0]) {
            return self.convolve(network, layers, x);
        }
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
    /// What is behind the features, as timm has it: the mean of the classified windows of a map.
    fn convolve(&self, network: &mut NetworkBuilder<'_>, layers: Layers<'_>, x: Value) -> Result<Outputs> {
        let dims = network.dims(x)?;
        let least = [0, 1].map(|axis| dims[axis + 1].max(self.grid[axis]));
        let mut x = if least == [dims[1], dims[2]] {
            x
        } else {
            network.adaptive_avg_pool2d(x, least)?
        };
        for name in CONVOLVED {
            x = layers.convolve(network, name, x, Steps::ONE.padding(0))?;
            x = network.relu(x)?;
        }
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let embedding = network.flatten(x)?;
        let logits = if layers.has(CLASSIFIER) {
            Some(network.linear(CLASSIFIER, embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }

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
