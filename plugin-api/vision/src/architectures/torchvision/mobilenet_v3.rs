//! MobileNetV3, for classes and as what segmenters see pictures with.
//!
//! Source: Howard et al., "Searching for MobileNetV3" (2019), tables 1 and 2.

use super::{Layers, Steps, classes, inverted_residual::Block};
use crate::{
    architectures::{Architecture, Outputs, activation::Activation, excitation::Excitation},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

const EPSILON: f64 = 1e-3;

/// The blocks of a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    strides: &'static [usize],
    /// So many blocks at the beginning have `max(x, 0)`, the others hard swish.
    relu: usize,
    /// From this block on there is a dilation instead of strides.
    dilated: usize,
    /// Added to the variances of batch normalisations.
    epsilon: f64,
}

/// Those of the large network.
pub(super) const LARGE: Blocks = Blocks {
    strides: &[1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1],
    relu: 6,
    dilated: usize::MAX,
    epsilon: EPSILON,
};

/// Those of the small network.
const SMALL: Blocks = Blocks {
    strides: &[2, 2, 1, 2, 1, 1, 1, 1, 2, 1, 1],
    relu: 3,
    dilated: usize::MAX,
    epsilon: EPSILON,
};

struct MobileNetV3 {
    blocks: Blocks,
    classes: usize,
}

pub(in crate::architectures) fn large(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, LARGE)
}

pub(in crate::architectures) fn small(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, SMALL)
}

fn open(repository: &Repository, blocks: Blocks) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(MobileNetV3 {
        blocks,
        classes: classes(repository)?,
    }))
}

impl Architecture for MobileNetV3 {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let maps = self.blocks.describe(network, checkpoint, "features.", image)?;
        let mean = network.adaptive_avg_pool2d(maps[maps.len() - 1], [1, 1])?;
        let x = network.flatten(mean)?;
        let x = Layers::new(checkpoint).linear(network, "classifier.0", x)?;
        let embedding = network.hardswish(x)?;
        Ok(Outputs::Picture {
            embedding,
            logits: Some(network.linear("classifier.3", embedding, self.classes)?),
        })
    }
}

impl Blocks {
    /// The same with a dilation of 2 in the last stage instead of its stride, as segmenters have it.
    pub(super) fn with_dilated_end(self) -> Self {
        let last = self.strides.iter().rposition(|&stride| stride > 1);
        Self {
            dilated: last.unwrap_or(usize::MAX),
            ..self
        }
    }

    /// The same with another number that is added to variances.
    pub(super) fn with_epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// How many blocks there are.
    pub(super) fn count(self) -> usize {
        self.strides.len()
    }

    /// The tensors of the blocks, as layers.
    pub(super) fn layers(self, checkpoint: &Checkpoint) -> Layers<'_> {
        Layers {
            checkpoint,
            epsilon: self.epsilon,
        }
    }

    /// The results of the modules `ROOT0`, `ROOT1` and so on: a convolution, the blocks, and another convolution.
    pub(super) fn describe(
        self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let layers = self.layers(checkpoint);
        let mut maps = vec![convolve(network, layers, &format!("{root}0."), image, 2)?];
        for index in 0..self.count() {
            let name = format!("{root}{}", index + 1);
            maps.push(self.block(index).describe(network, layers, &name, maps[index])?);
        }
        let last = self.count() + 1;
        maps.push(convolve(
            network,
            layers,
            &format!("{root}{last}."),
            maps[last - 1],
            1,
        )?);
        Ok(maps)
    }

    /// A block by its index.
    pub(super) fn block(self, index: usize) -> Block {
        Block {
            stride: self.strides[index],
            dilation: if index >= self.dilated { 2 } else { 1 },
            activation: if index < self.relu {
                Activation::Relu
            } else {
                Activation::HardSwish
            },
            excitation: Excitation::Hard,
        }
    }
}

/// The modules `ROOT0` and `ROOT1`, a convolution and its normalisation, and hard swish.
pub(super) fn convolve(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    root: &str,
    x: Value,
    stride: usize,
) -> Result<Value> {
    let x = layers.sequence(network, root, 0, x, Steps::of(stride))?;
    network.hardswish(x)
}
