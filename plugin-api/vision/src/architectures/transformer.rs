//! What the encoders of vision transformers have in common.

use super::activation::Activation;
use crate::{checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

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
    let operands = projected(network, projections, bias, x)?;
    network.attention(operands, heads)
}

/// Queries, keys and values of a sequence.
pub(super) fn projected(
    network: &mut NetworkBuilder<'_>,
    projections: Projections<'_>,
    bias: bool,
    x: Value,
) -> Result<[Value; 3]> {
    let features = network.channels(x)?;
    match projections {
        Projections::Apart([query, key, value]) => Ok([
            linear(network, query, x, features, bias)?,
            linear(network, key, x, features, bias)?,
            linear(network, value, x, features, bias)?,
        ]),
        Projections::Fused(name) => {
            let all = linear(network, name, x, 3 * features, bias)?;
            thirds(network, all, features)
        }
    }
}

/// Queries, keys and values: of linear layers `NAME.query`, `NAME.key` and `NAME.value`, each with a bias or without, or else
/// as of [`fused_projections`].
pub(super) fn projections(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    name: &str,
    x: Value,
) -> Result<[Value; 3]> {
    if checkpoint.has(&format!("{name}.qkv.weight")) {
        return fused_projections(network, checkpoint, name, x);
    }
    let features = network.channels(x)?;
    let mut projected = [x; 3];
    for (part, value) in ["query", "key", "value"].into_iter().zip(&mut projected) {
        let part = format!("{name}.{part}");
        let has_bias = checkpoint.has(&format!("{part}.bias"));
        *value = linear(network, &part, x, features, has_bias)?;
    }
    Ok(projected)
}

/// Queries, keys and values of one linear layer `NAME.qkv`, whose bias is its own, none, or that of queries and values only,
/// as `NAME.q_bias` and `NAME.v_bias`.
fn fused_projections(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    name: &str,
    x: Value,
) -> Result<[Value; 3]> {
    let features = network.channels(x)?;
    let fused = format!("{name}.qkv");
    let parts = ["q_bias", "v_bias"].map(|part| format!("{name}.{part}"));
    if !checkpoint.has(&parts[0]) {
        let has_bias = checkpoint.has(&format!("{fused}.bias"));
        let all = linear(network, &fused, x, 3 * features, has_bias)?;
        return thirds(network, all, features);
    }
    let mut bias = vec![0.0; 3 * features];
    for (part, target) in parts.iter().zip([0, 2 * features]) {
        let values = checkpoint.tensor(part)?;
        if values.data().len() != features {
            return Err(Error::new(format!(
                "tensor `{part}` has dimensions {:?}, but the network needs [{features}]",
                values.dims()
            ))
            .with_kind(ErrorKind::Weights));
        }
        bias[target..target + features].copy_from_slice(values.data());
    }
    let all = network.linear_without_bias(&fused, x, 3 * features)?;
    let ones = Weight::vector(vec![1.0; 3 * features]);
    let all = network.affine(all, ones, Weight::vector(bias))?;
    thirds(network, all, features)
}

/// Three parts of so many features, one after the other.
pub(super) fn thirds(network: &mut NetworkBuilder<'_>, all: Value, features: usize) -> Result<[Value; 3]> {
    Ok([
        network.narrow(all, 0, features)?,
        network.narrow(all, features, features)?,
        network.narrow(all, 2 * features, features)?,
    ])
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

/// Attention of queries, keys and values, each of which a linear layer projects first, as another one does the result:
/// `q_proj`, `k_proj`, `v_proj` and `out_proj`.
pub(super) fn projected_attention(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    [queries, keys, values]: [Value; 3],
    heads: usize,
) -> Result<Value> {
    let features = network.channels(queries)?;
    let projected = [
        network.linear(&format!("{name}.q_proj"), queries, features)?,
        network.linear(&format!("{name}.k_proj"), keys, features)?,
        network.linear(&format!("{name}.v_proj"), values, features)?,
    ];
    let x = network.attention(projected, heads)?;
    network.linear(&format!("{name}.out_proj"), x, features)
}

/// The second half of a layer of DETR and its relatives: linear layers `fc1` and `fc2` whose sum with their input
/// `final_layer_norm` normalises.
pub(super) fn normed_perceptron(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    (hidden, activation): (usize, Activation),
    epsilon: f32,
    input: Value,
) -> Result<Value> {
    let names = ["fc1", "fc2"].map(|layer| format!("{name}.{layer}"));
    let x = perceptron(network, [&names[0], &names[1]], hidden, activation, input)?;
    let x = network.add(input, x)?;
    network.layer_norm(&format!("{name}.final_layer_norm"), x, epsilon)
}

/// The second half of a layer that normalises first: what the two linear layers in `NAME.mlp` make of `NAME.layer_norm2`'s result, added
/// to its input. The sum goes by the name of the layer.
pub(super) fn second_half(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    (layers, hidden, activation): ([&str; 2], usize, Activation),
    epsilon: f32,
    input: Value,
) -> Result<Value> {
    let x = network.layer_norm(&format!("{name}.layer_norm2"), input, epsilon)?;
    let names = layers.map(|layer| format!("{name}.mlp.{layer}"));
    let x = perceptron(network, [&names[0], &names[1]], hidden, activation, x)?;
    let x = network.add(input, x)?;
    network.alias(name, x)?;
    Ok(x)
}

/// How many times more features are between the two linear layers of a perceptron.
pub(super) fn hidden_ratio(config: &Config, default: f64) -> Result<f64> {
    let ratio = config.number("mlp_ratio")?.unwrap_or(default);
    if (0.01..=64.0).contains(&ratio) {
        Ok(ratio)
    } else {
        Err(config.wrong("mlp_ratio", "a number from 0.01 to 64"))
    }
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
        return Err(Error::new(format!(
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

/// Three linear layers with `max(x, 0)` between them, called `layers.0`, `layers.1` and `layers.2`; those before the
/// last keep the number of features.
pub(super) fn deep_perceptron(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    outputs: usize,
    x: Value,
) -> Result<Value> {
    let features = network.channels(x)?;
    let mut x = x;
    for layer in 0..2 {
        x = network.linear(&format!("{name}.layers.{layer}"), x, features)?;
        x = network.relu(x)?;
    }
    network.linear(&format!("{name}.layers.2"), x, outputs)
}

/// The boxes of objects as DETR predicts them: centre and size, in parts of the picture.
pub(super) fn box_head(network: &mut NetworkBuilder<'_>, objects: Value) -> Result<Value> {
    let boxes = deep_perceptron(network, "bbox_predictor", 4, objects)?;
    network.sigmoid(boxes)
}
