//! Networks as torchvision publishes them: a file of tensors, read off which the sizes of the layers are.
//!
//! ResNets are not here, since timm's have the same form.

mod convnext;
mod densenet;
mod detection;
mod efficientnet;
mod inception;
mod inverted_residual;
mod mnasnet;
mod mobilenet_v2;
mod mobilenet_v3;
mod segmentation;
mod shufflenet;
mod squeezenet;
mod swin;
mod vgg;
mod vit;

pub(super) use convnext::open as convnext;
pub(super) use densenet::open as densenet;
pub(super) use detection::{rcnn, retinanet, ssd300, ssdlite320};
pub(super) use efficientnet::open as efficientnet;
pub(super) use inception::{googlenet, inception_v3};
pub(super) use mnasnet::open as mnasnet;
pub(super) use mobilenet_v2::open as mobilenet_v2;
pub(super) use mobilenet_v3::{large as mobilenet_v3_large, small as mobilenet_v3_small};
pub(super) use segmentation::{deeplab_v3, fcn, lraspp};
pub(super) use shufflenet::open as shufflenet;
pub(super) use squeezenet::open as squeezenet;
pub(super) use swin::open as swin;
pub(super) use vgg::{alexnet, vgg};
pub(super) use vit::open as vit;

use super::{
    Architecture, Outputs,
    layers::{Layers, Steps},
    resnet::Described,
};
use crate::{
    checkpoint::Checkpoint,
    repository::{self, Repository},
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// More layers of one kind than any network has.
const MOST_LAYERS: usize = 1000;

/// Describes a classifier of pictures of any size: the network, its tensors, the picture, the number of classes.
type Describe = fn(&mut NetworkBuilder<'_>, &Checkpoint, Value, usize) -> Result<Outputs>;

/// A classifier all of whose sizes are read off its tensors.
struct ReadOff {
    describe: Describe,
    classes: usize,
}

impl ReadOff {
    fn boxed(repository: &Repository, describe: Describe) -> Result<Box<dyn Architecture>> {
        let classes = classes(repository)?;
        Ok(Box::new(Self { describe, classes }))
    }
}

impl Architecture for ReadOff {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        (self.describe)(network, checkpoint, image, self.classes)
    }
}

/// How many classes a classifier tells apart.
fn classes(repository: &Repository) -> Result<usize> {
    Ok(repository::class_names(repository)?.map_or(1000, |names| names.len()))
}

/// The mean of a map as the embedding, and a linear layer of it as the logits.
fn classify(network: &mut NetworkBuilder<'_>, name: &str, map: Value, classes: usize) -> Result<Outputs> {
    let mean = network.adaptive_avg_pool2d(map, [1, 1])?;
    let embedding = network.flatten(mean)?;
    Ok(Outputs::Picture {
        embedding,
        logits: Some(network.linear(name, embedding, classes)?),
    })
}
