//! Networks as torchvision publishes them: a file of tensors, read off which the sizes of the layers are.
//!
//! ResNets are not here, since timm's have the same form.

mod densenet;
mod mobilenet_v2;

pub(super) use densenet::open as densenet;
pub(super) use mobilenet_v2::open as mobilenet_v2;

use super::{Outputs, resnet::Described};
use crate::repository::{self, Repository};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// More layers of one kind than any network has.
const MOST_LAYERS: usize = 1000;

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
