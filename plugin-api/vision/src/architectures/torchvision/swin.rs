//! The Swin transformer.
//!
//! Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), section 3.

use super::{Layers, MOST_LAYERS, Steps, classes};
use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        layers::unfit,
        transformer,
        windows::{self, Windows},
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
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
                x = windows::merge(network, &name, x, grid)?;
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
    let table = format!("{name}.attn.relative_position_bias_table");
    // A row for each distance of two tokens of a window, a column for each head.
    let [side, heads] = match layers.checkpoint.dims(&table).as_deref() {
        Some(&[distances, heads]) => [distances.isqrt().div_ceil(2), heads],
        Some(dims) => return Err(unfit(&table, dims)),
        None => return layers.checkpoint.tensor(&table).map(|_| input),
    };
    let windows = Windows::shifted_by_direction(grid, side, is_shifted)?;
    let features = network.channels(input)?;
    let x = network.layer_norm(&format!("{name}.norm1"), input, EPSILON)?;
    let x = windows.cut(network, x)?;
    let all = layers.linear(network, &format!("{name}.attn.qkv"), x)?;
    let projected = [
        network.narrow(all, 0, features)?,
        network.narrow(all, features, features)?,
        network.narrow(all, 2 * features, features)?,
    ];
    let bias = windows.trained_bias(layers.checkpoint, &table, heads)?;
    let x = network.window_attention(projected, heads, windows.count(), bias)?;
    let x = network.linear(&format!("{name}.attn.proj"), x, features)?;
    let x = windows.join(network, x)?;
    let attended = network.add(input, x)?;
    let x = network.layer_norm(&format!("{name}.norm2"), attended, EPSILON)?;
    let names = [0, 3].map(|part| format!("{name}.mlp.{part}"));
    let [hidden, _] = layers.dims(&names[0])?;
    let x = transformer::perceptron(network, [&names[0], &names[1]], hidden, Activation::Gelu, x)?;
    let x = network.add(attended, x)?;
    network.alias(name, x)?;
    Ok(x)
}
