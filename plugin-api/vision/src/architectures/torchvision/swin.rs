//! The Swin transformers.
//!
//! Sources: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), section 3, and
//! "Swin Transformer V2: Scaling Up Capacity and Resolution" (2022), section 3.

use super::{Layers, MOST_LAYERS, Steps, classes};
use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        layers::unfit,
        swin::{biases_of_distances, scaled_queries},
        transformer,
        windows::{self, APART, Windows},
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

const EPSILON: f32 = 1e-5;

struct Swin {
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(Swin {
        classes: classes(repository)?,
    }))
}

impl Architecture for Swin {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn depends_on_size(&self) -> bool {
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
        let dims = network.dims(x)?;
        let mut grid = [dims[1], dims[2]];
        let x = network.to_tokens(x)?;
        let mut x = network.layer_norm("features.0.2", x, EPSILON)?;
        for stage in 1..MOST_LAYERS {
            let name = format!("features.{stage}");
            if !checkpoint.has_any(&format!("{name}.")) {
                break;
            }
            // Modules with odd numbers are blocks, those with even numbers merge tokens.
            if stage.is_multiple_of(2) {
                x = merge(network, layers, &name, x, grid)?;
                grid = windows::halved(grid);
                continue;
            }
            for number in 0..MOST_LAYERS {
                let name = format!("{name}.{number}");
                if !checkpoint.has_any(&format!("{name}.")) {
                    break;
                }
                x = block(network, layers, &name, x, grid, number % 2 == 1)?;
            }
            network.alias(&name, x)?;
        }
        let x = network.layer_norm("norm", x, EPSILON)?;
        let embedding = network.mean_tokens(x)?;
        Ok(Outputs::Picture {
            embedding,
            logits: Some(network.linear("head", embedding, self.classes)?),
        })
    }
}

fn block(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    input: Value,
    grid: [usize; 2],
    is_shifted: bool,
) -> Result<Value> {
    let attention = format!("{name}.attn");
    let norms = [1, 2].map(|norm| format!("{name}.norm{norm}"));
    let names = [0, 3].map(|part| format!("{name}.mlp.{part}"));
    let [hidden, _] = layers.dims(&names[0])?;
    let names = [names[0].as_str(), &names[1]];
    let x = if is_second(layers, &attention) {
        let x = attend_by_direction(network, layers, &attention, input, grid, is_shifted)?;
        let x = network.layer_norm(&norms[0], x, EPSILON)?;
        let attended = network.add(input, x)?;
        let x = transformer::perceptron(network, names, hidden, Activation::Gelu, attended)?;
        let x = network.layer_norm(&norms[1], x, EPSILON)?;
        network.add(attended, x)?
    } else {
        let x = network.layer_norm(&norms[0], input, EPSILON)?;
        let x = attend(network, layers, &attention, x, grid, is_shifted)?;
        let attended = network.add(input, x)?;
        let x = network.layer_norm(&norms[1], attended, EPSILON)?;
        let x = transformer::perceptron(network, names, hidden, Activation::Gelu, x)?;
        network.add(attended, x)?
    };
    network.alias(name, x)?;
    Ok(x)
}

/// Whether an attention is one of the second version.
fn is_second(layers: Layers<'_>, attention: &str) -> bool {
    layers.checkpoint.has(&format!("{attention}.logit_scale"))
}

/// Attention within windows with a trained bias of each distance.
fn attend(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    attention: &str,
    x: Value,
    grid: [usize; 2],
    is_shifted: bool,
) -> Result<Value> {
    let table = format!("{attention}.relative_position_bias_table");
    // A row for each distance of two tokens of a window, a column for each head.
    let [side, heads] = match layers.checkpoint.dims(&table).as_deref() {
        Some(&[distances, heads]) => [distances.isqrt().div_ceil(2), heads],
        Some(dims) => return Err(unfit(&table, dims)),
        None => return layers.checkpoint.tensor(&table).map(|_| x),
    };
    let windows = Windows::shifted_by_direction(grid, side, is_shifted)?;
    let features = network.channels(x)?;
    let x = windows.cut(network, x)?;
    let all = layers.linear(network, &format!("{attention}.qkv"), x)?;
    let projected = transformer::thirds(network, all, features)?;
    let bias = windows.trained_bias(layers.checkpoint, &table, heads)?;
    let x = network.window_attention(projected, heads, windows.count(), bias)?;
    let x = network.linear(&format!("{attention}.proj"), x, features)?;
    windows.join(network, x)
}

/// The same of the second version: directions are compared, and a small network makes the biases.
fn attend_by_direction(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    attention: &str,
    x: Value,
    grid: [usize; 2],
    is_shifted: bool,
) -> Result<Value> {
    let checkpoint = layers.checkpoint;
    let (table, scale) = (
        format!("{attention}.relative_coords_table"),
        format!("{attention}.logit_scale"),
    );
    // A place for each distance of two tokens of a window in both directions; a scale for each head.
    let side = match checkpoint.dims(&table).as_deref() {
        Some(&[1, rows, columns, 2]) if rows == columns => rows.div_ceil(2),
        Some(dims) => return Err(unfit(&table, dims)),
        None => return checkpoint.tensor(&table).map(|_| x),
    };
    let features = network.channels(x)?;
    let heads = match checkpoint.dims(&scale).as_deref() {
        Some(&[heads, 1, 1]) if heads > 0 && features.is_multiple_of(heads) => heads,
        dims => return Err(unfit(&scale, dims.unwrap_or_default())),
    };
    let windows = Windows::shifted_by_direction(grid, side, is_shifted)?;
    let x = windows.cut(network, x)?;
    let all = unbiased_keys(network, layers, &format!("{attention}.qkv"), x)?;
    let [queries, keys, values] = transformer::thirds(network, all, features)?;
    let distances = biases_of_distances(checkpoint, &format!("{attention}.cpb_mlp"), heads, [side; 2])?;
    let bias = windows.bias_of(&distances, heads, APART);
    let queries = network.unit_length(queries, heads)?;
    let keys = network.unit_length(keys, heads)?;
    let queries = scaled_queries(network, checkpoint, attention, queries, heads)?;
    let x = network.unscaled_window_attention([queries, keys, values], heads, windows.count(), bias)?;
    let x = network.linear(&format!("{attention}.proj"), x, features)?;
    windows.join(network, x)
}

/// Queries, keys and values of one layer, whose bias for keys is published and not used.
fn unbiased_keys(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    x: Value,
) -> Result<Value> {
    let bias = format!("{name}.bias");
    if !layers.checkpoint.has_made(&bias) {
        let stored = layers.checkpoint.tensor(&bias)?;
        let mut values = stored.data().to_vec();
        let third = values.len() / 3;
        values[third..2 * third].fill(0.0);
        layers.checkpoint.make(bias, Weight::vector(values));
    }
    layers.linear(network, name, x)
}

/// Each 2 x 2 tokens as one, with twice the features; the second version normalises behind the reduction.
fn merge(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    x: Value,
    grid: [usize; 2],
) -> Result<Value> {
    let features = network.channels(x)?;
    let norm = format!("{name}.norm");
    if layers.dims::<1>(&norm)? != [2 * features] {
        return windows::merge(network, name, x, grid);
    }
    let x = windows::two_by_two(network, x, grid)?;
    let x = network.linear_without_bias(&format!("{name}.reduction"), x, 2 * features)?;
    network.layer_norm(&norm, x, EPSILON)
}
