//! What the encoders of vision transformers have in common.

use super::activation::Activation;
use crate::repository::Config;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Where the projections of an attention are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Projections<'a> {
    /// A linear layer each: queries, keys, values.
    Apart([&'a str; 3]),
    /// One linear layer for all three, one after the other.
    Fused(&'a str),
}

/// The attention of a sequence to itself, without the projection of its result.
pub(super) fn self_attention(
    network: &mut NetworkBuilder<'_>,
    projections: Projections<'_>,
    bias: bool,
    heads: usize,
    x: Value,
) -> Result<Value> {
    let features = network.channels(x)?;
    let operands = match projections {
        Projections::Apart([query, key, value]) => [
            linear(network, query, x, features, bias)?,
            linear(network, key, x, features, bias)?,
            linear(network, value, x, features, bias)?,
        ],
        Projections::Fused(name) => {
            let all = linear(network, name, x, 3 * features, bias)?;
            [
                network.narrow(all, 0, features)?,
                network.narrow(all, features, features)?,
                network.narrow(all, 2 * features, features)?,
            ]
        }
    };
    network.attention(operands, heads)
}

/// A linear layer with or without a bias.
pub(super) fn linear(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    x: Value,
    features: usize,
    bias: bool,
) -> Result<Value> {
    if bias {
        network.linear(name, x, features)
    } else {
        network.linear_without_bias(name, x, features)
    }
}

/// Two linear layers with an activation between them.
pub(super) fn perceptron(
    network: &mut NetworkBuilder<'_>,
    [up, down]: [&str; 2],
    hidden: usize,
    activation: Activation,
    x: Value,
) -> Result<Value> {
    let features = network.channels(x)?;
    let x = network.linear(up, x, hidden)?;
    let x = activation.apply(network, x)?;
    network.linear(down, x, features)
}

/// Each feature times a trained factor.
pub(super) fn layer_scale(network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
    let features = network.channels(x)?;
    let factors = network.parameter(name, &[features])?;
    network.mul(x, factors)
}

/// A number of heads that divides the features.
pub(super) fn heads(config: &Config, key: &str, default: usize, features: usize) -> Result<usize> {
    let heads = config.count(key, default)?;
    if features.is_multiple_of(heads) {
        Ok(heads)
    } else {
        Err(config.wrong(key, &format!("a divisor of {features}, the number of features,")))
    }
}

/// The rows and columns of patches of a picture of `[height, width]`.
pub(super) fn grid(size: [usize; 2], patch: [usize; 2]) -> Result<[usize; 2]> {
    let grid = [size[0] / patch[0], size[1] / patch[1]];
    if grid.contains(&0) {
        return Err(modelzoo_plugin_api::Error::new(format!(
            "a picture of {} x {} pixels has no whole patch of {} x {}",
            size[1], size[0], patch[1], patch[0]
        )));
    }
    Ok(grid)
}

/// The channels of pictures, of which a network may have no other number.
pub(super) fn three_channels(config: &Config, key: &str) -> Result<()> {
    match config.count(key, 3)? {
        3 => Ok(()),
        _ => Err(config.unsupported(key, "3, the channels of a picture,")),
    }
}

/// Three linear layers with `max(x, 0)` between them; those before the last keep the number of features.
pub(super) fn deep_perceptron(
    network: &mut NetworkBuilder<'_>,
    [first, second, last]: [&str; 3],
    outputs: usize,
    x: Value,
) -> Result<Value> {
    let features = network.channels(x)?;
    let mut x = x;
    for name in [first, second] {
        x = network.linear(name, x, features)?;
        x = network.relu(x)?;
    }
    network.linear(last, x, outputs)
}

/// The boxes of objects as DETR predicts them: centre and size, in parts of the picture.
pub(super) fn box_head(network: &mut NetworkBuilder<'_>, objects: Value) -> Result<Value> {
    let names = [
        "bbox_predictor.layers.0",
        "bbox_predictor.layers.1",
        "bbox_predictor.layers.2",
    ];
    let boxes = deep_perceptron(network, names, 4, objects)?;
    network.sigmoid(boxes)
}
